import { z } from 'zod'
import type { EventLogClaims } from '../../verifiers/event-log/claims.ts'

const digest = z.string().regex(/^[0-9a-f]+$/)

/** What event logs prove. */
export const eventLogClaims = z
  .strictObject({
    source: z.enum(['ccel', 'dstack', 'ccel+dstack']),
    events: z.int(),
    replayed: z.array(z.int()).meta({ description: 'Registers whose replay equals the quote' }),
    facts: z.strictObject({
      secure_boot: z.boolean().nullable(),
      boot_applications: z.array(digest).nullable(),
      kernel_cmdline: z.string().nullable(),
      container_images: z.array(z.string()).nullable(),
    }),
    dstack: z
      .strictObject({
        app_id: z.string().nullable(),
        compose_hash: z.string().nullable(),
        instance_id: z.string().nullable(),
        key_provider: z.string().nullable(),
        os_image_hash: z.string().nullable(),
        app_events: z.array(z.strictObject({ name: z.string(), payload: z.string() })),
      })
      .nullable(),
  })
  .meta({
    id: 'EventLogClaims',
    description: 'What the logs prove, each only of registers that replayed',
  }) satisfies z.ZodType<EventLogClaims>
