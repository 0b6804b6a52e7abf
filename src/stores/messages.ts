import { AttestationError } from '../verifiers/problems.ts'

/** Both ends of a channel run the same program, so a value of another shape is a fault of ours: the call fails. */
export function refuse(what: string): never {
  throw new AttestationError('not-ready', `a message between processes does not hold ${what}`)
}

/** Readers of what came over a channel; each throws `not-ready` for anything else. */
export const objectIn = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : refuse('an object')
export const text = (value: unknown): string => (typeof value === 'string' ? value : refuse('a text'))
export const number = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : refuse('a number'))
export const bytesIn = (value: unknown): Uint8Array => (value instanceof Uint8Array ? new Uint8Array(value) : refuse('bytes'))
export const dateIn = (value: unknown): Date => (value instanceof Date ? value : refuse('a date'))
export const listIn = <T>(value: unknown, read: (each: unknown) => T): readonly T[] =>
  Array.isArray(value) ? value.map(read) : refuse('a list')
