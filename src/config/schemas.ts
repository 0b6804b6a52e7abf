import { z } from 'zod'

/** The path of a file or folder. */
export const path = z.string().min(1, 'a path').max(4096)

/** A whole number within bounds, both included. */
export const integer = (min: number, max: number) => z.int(`a whole number from ${min} to ${max}`).min(min).max(max)
