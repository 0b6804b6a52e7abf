import { z } from 'zod'

/** So many bytes in hex. */
export const hex = (bytes: number) =>
  z
    .string()
    .regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`))
    .meta({ description: `${bytes} bytes, lower-case hex` })

/** RFC 3339. */
export const time = z.iso.datetime().meta({ description: 'RFC 3339, UTC' })
