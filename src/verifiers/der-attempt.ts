import { AttestationError } from './problems.ts'

/** What reading gives, or the AttestationError that says why the bytes cannot be read. Anything else is a fault of ours and goes on. */
export function attempt<T>(read: () => T): T | AttestationError {
  try {
    return read()
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
}

/** What reading gives; undefined where the bytes cannot be read. */
export function readable<T>(read: () => T): T | undefined {
  const result = attempt(read)
  return result instanceof AttestationError ? undefined : result
}
