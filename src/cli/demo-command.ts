import { EXIT } from './exit.ts'
import type { Session } from './output.ts'
import type { AddCommand } from './command.ts'

type Flags = { readonly keep?: true; readonly listen: string; readonly tsm?: string }

/** `assay demo`: the real service with a fake AMD, a fake Intel, a fake maker of TPMs and three dozen fake hosts, on this machine alone. */
export const addDemo: AddCommand = (program, session) => {
  program
    .command('demo')
    .description('show the whole service with fake vendors and fake hosts; nothing leaves this machine')
    .option('--keep', 'leave the service running until interrupted')
    .option('--listen <address>', 'where the service listens (loopback only)', '127.0.0.1:0')
    .option('--tsm <folder>', 'with --keep: serve a fake configfs-tsm tree there, for the shell client')
    .action((flags: Flags) => demo(flags, session))
}

async function demo({ keep, listen, tsm }: Flags, session: Session): Promise<void> {
  const { runDemo } = await import('./demo.ts')
  const { url, outcome, end } = await runDemo({
    listen,
    output: session,
    tsm: keep === true ? tsm : undefined,
    afterwards: keep === true ? 'stay' : 'end',
  })
  if (keep === true) {
    session.out(`The service stays at ${url}. Interrupt to end it.`)
    await interrupted()
  }
  await end()
  session.exit(outcome === 'as expected' ? EXIT.accepted : EXIT.refused)
}

/** Resolves at the first signal that asks to end. */
export function interrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  return promise
}
