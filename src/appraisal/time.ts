import { z } from 'zod'

const TIME = { error: 'expected a time such as 2026-01-31T12:00:00Z' }

/** A point in time with its offset; kept in UTC, so that equal times are equal text. */
export const time = () =>
  z
    .string(TIME)
    .refine((text) => z.iso.datetime({ offset: true }).safeParse(text).success, TIME)
    .transform((text) => new Date(text).toISOString())
