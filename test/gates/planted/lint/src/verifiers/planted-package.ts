import { z } from 'zod'

/** Uses somebody else's code where only our own may decide. */
export const planted = z.string()
