import { EVENT } from '../../event-log/event-types.ts'
import type { Judged } from '../../event-log/digests.ts'

/** What shim measures into PCR 14, in its order (specification tpm.md section 11). */
const VARIABLES = ['MokList', 'MokListX', 'MokSBState', 'MokDBState', 'MokListTrusted', 'MokPolicy']

/**
 * Digests of shim's variables. Their names are labels of the log; that each is there once, in shim's order, beginning with MokList and with
 * nothing beside, is all that can be asked of them. null where it is not so.
 */
export function mokOf(events: readonly Judged[]): Readonly<Record<string, string>> | null {
  const named = events.map((event) => ({ name: nameOf(event), digest: Buffer.from(event.digest).toString('hex') }))
  const places = named.map(({ name }) => VARIABLES.indexOf(name))
  const inOrder = places.every((place, number) => (number === 0 ? place === 0 : place > (places[number - 1] ?? place)))
  return inOrder ? Object.fromEntries(named.map(({ name, digest }) => [name, digest])) : null
}

const nameOf = ({ type, data }: Judged): string =>
  type === EVENT.ipl
    ? Buffer.from(data ?? [])
        .toString('latin1')
        .replace(/\0$/, '')
    : ''
