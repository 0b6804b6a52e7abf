import { AttestationRefused } from './problems.ts'

/** Remembers a name until a time, and answers whether it was known before. Replicas share what they know, or each takes a proof once. */
export type Seen = (name: string, until: Date) => boolean | Promise<boolean>

/** Some 100 bytes each. */
const MOST = 100_000

/** Names in the memory of this process. Throws `replay-memory-full` where `most` are known and none has expired: what is forgotten could be replayed. */
export function rememberInMemory(now: () => Date = () => new Date(), most: number = MOST): (name: string, until: Date) => boolean {
  const known = new Map<string, number>()
  let sweptAt = -Infinity
  const sweep = (time: number): void => {
    if (time - sweptAt < 1000) return
    sweptAt = time
    for (const [name, until] of known) if (until <= time) known.delete(name)
  }
  return (name, until) => {
    const time = now().getTime()
    if (known.size >= most) sweep(time)
    if ((known.get(name) ?? -Infinity) > time) return true
    if (known.size >= most && !known.has(name)) throw new AttestationRefused('replay-memory-full', { most })
    known.set(name, until.getTime())
    return false
  }
}
