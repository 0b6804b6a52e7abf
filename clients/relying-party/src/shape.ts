import { isObject } from './json.ts'

/** Whether a value has a shape. */
export type Guard<T> = (value: unknown) => value is T

/** What a guard lets through. */
export type Guarded<G> = G extends Guard<infer T> ? T : never

/** Any text. */
export const text = (value: unknown): value is string => typeof value === 'string'

/** A text with something in it. */
export const filled = (value: unknown): value is string => typeof value === 'string' && value !== ''

/** A whole number from 0. */
export const count = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** A whole number of any sign. */
export const whole = (value: unknown): value is number => Number.isSafeInteger(value)

/** True or false. */
export const flag = (value: unknown): value is boolean => typeof value === 'boolean'

/** SHA-256 in lower-case hex. */
export const sha256 = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{64}$/.test(value)

/** Exactly this. */
export const only =
  <const T>(wanted: T): Guard<T> =>
  (value): value is T =>
    value === wanted

/** One of these words. */
export const oneOf =
  <const T extends string>(words: readonly T[]): Guard<T> =>
  (value): value is T =>
    words.some((word) => word === value)

/** A list of such. */
export const listOf =
  <T>(guard: Guard<T>): Guard<readonly T[]> =>
  (value): value is readonly T[] =>
    Array.isArray(value) && value.every(guard)

/** An object of which every member is such. */
export const mapOf =
  <T>(guard: Guard<T>): Guard<Readonly<Record<string, T>>> =>
  (value): value is Readonly<Record<string, T>> =>
    isObject(value) && Object.values(value).every(guard)

/** Absent, or such. */
export const optional =
  <T>(guard: Guard<T>): Guard<T | undefined> =>
  (value): value is T | undefined =>
    value === undefined || guard(value)

type Shape = Readonly<Record<string, Guard<unknown>>>
type OptionalNames<S extends Shape> = { [K in keyof S]: undefined extends Guarded<S[K]> ? K : never }[keyof S]

/** What an object of a shape is. Members of other names may be there, too: they are not looked at. */
export type Shaped<S extends Shape> = { readonly [K in Exclude<keyof S, OptionalNames<S>>]: Guarded<S[K]> } & {
  readonly [K in OptionalNames<S>]?: Exclude<Guarded<S[K]>, undefined>
}

/** An object whose members have these shapes. */
export const object =
  <S extends Shape>(shape: S): Guard<Shaped<S>> =>
  (value): value is Shaped<S> =>
    isObject(value) && misshapen(shape, value) === undefined

/** The name of the first member that has not its shape. */
export const misshapen = (shape: Shape, value: { readonly [name: string]: unknown }): string | undefined =>
  Object.keys(shape).find((name) => shape[name]?.(value[name]) === false)
