import { hash } from 'node:crypto'
import { z } from 'zod'
import type { Seal } from '../access/sealed.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { IMA_FAULT_KINDS } from '../verifiers/tpm/ima/claims.ts'
import type { ImaState } from '../verifiers/tpm/context.ts'
import type { Authority } from './nonce.ts'

/** Raised whenever the evaluation of lists comes to other results, so that no result of an older one is continued. */
const EVALUATOR = 2
/** The largest state that is handed out: a host keeps it, and sends it with each request. */
const MOST_BYTES = 16 * 1024

/** States of lists that were judged, for hosts to keep (issue 5): only this service can read them, and nobody can change them. */
export type ImaStates = {
  /** undefined for one that is larger than hosts are asked to keep: the next request then sends the whole list. */
  readonly seal: (state: ImaState, authority: Authority) => Uint8Array | undefined
  /** Throws `tpm-ima-state-stale` for what is not a state of this service, audience, policy, sets of reference values, and evaluation. */
  readonly open: (sealed: Uint8Array, authority: Authority) => ImaState
}

const count = z.int().min(0)
const faults = z.partialRecord(
  z.enum(IMA_FAULT_KINDS),
  z.strictObject({ count, first: z.array(z.strictObject({ entry: count, path: z.string(), digest: z.string() })) }),
)
const record = z.strictObject({
  evaluator: z.literal(EVALUATOR),
  authority: z.string(),
  ak: z.string(),
  bank: z.enum(['sha1', 'sha256', 'sha384', 'sha512']),
  clock: z.string().regex(/^[0-9]{1,20}$/),
  reset_count: count,
  restart_count: count,
  entries: count,
  value: z.string().regex(/^[0-9a-f]{40,128}$/),
  whole_list_at: z.iso.datetime(),
  outcomes: z.strictObject({
    bootAggregate: z.enum(['0-7', '0-9']).nullable(),
    accepted: z.strictObject({ digest: count, signature: count, excluded: count, keyring: count, buffer: count }),
    faults,
    legacyPadding: z.boolean(),
    keys: z.array(z.string()),
  }),
})

/** Issuer, mode and purpose are the seal's. */
export const createImaStates = (seal: Seal): ImaStates => ({
  seal: (state, authority) => {
    const sealed = seal.seal(Buffer.from(JSON.stringify(recordOf(state, authority))))
    return sealed.byteLength > MOST_BYTES ? undefined : sealed
  },
  open: (sealed, authority) => {
    const opened = seal.open(sealed)
    const state = opened === undefined ? undefined : stateOf(opened, authority)
    if (state === undefined)
      throw new AttestationError('tpm-ima-state-stale', 'the state is not one that can be continued', { at: 'ima_state' })
    return state
  },
})

/** Whose rules judged: audience, version of the policy, and versions of the sets that gave it values. */
const authorityDigest = ({ audience, policy: { reference, sets } }: Authority): string =>
  hash(
    'sha256',
    JSON.stringify([
      audience.name,
      [reference.name, reference.version, reference.sha256],
      (sets?.used ?? []).map(({ name, version, sha256 }) => [name, version, sha256]),
    ]),
  )

function recordOf({ akName, bank, clock, entries, value, wholeListAt, outcomes }: ImaState, authority: Authority): object {
  return {
    evaluator: EVALUATOR,
    authority: authorityDigest(authority),
    ak: akName,
    bank,
    clock: clock.clock.toString(),
    reset_count: clock.resetCount,
    restart_count: clock.restartCount,
    entries,
    value: Buffer.from(value).toString('hex'),
    whole_list_at: wholeListAt.toISOString(),
    outcomes,
  }
}

function stateOf(opened: Uint8Array, authority: Authority): ImaState | undefined {
  const read = record.safeParse(JSON.parse(Buffer.from(opened).toString()))
  if (!read.success || read.data.authority !== authorityDigest(authority)) return undefined
  const { ak, bank, clock, entries, value, outcomes, ...rest } = read.data
  return {
    akName: ak,
    bank,
    clock: { clock: BigInt(clock), resetCount: rest.reset_count, restartCount: rest.restart_count },
    entries,
    value: new Uint8Array(Buffer.from(value, 'hex')),
    wholeListAt: new Date(rest.whole_list_at),
    outcomes,
  }
}
