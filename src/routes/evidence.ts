import { hash } from 'node:crypto'
import { AttestationError } from '../verifiers/problems.ts'
import type { Evidence } from '../verifiers/verifier.ts'
import type { EvidenceItem } from './evidence-items.ts'

type ItemOf<T extends EvidenceItem['type']> = Extract<EvidenceItem, { type: T }>

/** One row for each type on the wire; a type without a row does not compile. */
const EVIDENCE: { readonly [T in EvidenceItem['type']]: (item: ItemOf<T>) => Evidence } = {
  snp: snpOf,
  tdx: ({ type, quote, certificates = [], event_log: eventLog, runtime_log: runtimeLog, initdata }) => ({
    type,
    quote,
    certificates,
    ...given({ eventLog, runtimeLog, initdata }),
  }),
  sgx: ({ type, quote, certificates = [] }) => ({ type, quote, certificates }),
  tpm: ({ type, quotes, ak_public: akPublic, ak_certificates: akCertificates = [], event_log: eventLog, ima_log: imaLog }) => ({
    type,
    quotes,
    akCertificates,
    ...given({ akPublic, eventLog, imaLog }),
  }),
  tsm: ({ type, provider, outblob, auxblob, manifestblob }) => ({ type, provider, outblob, ...given({ auxblob, manifestblob }) }),
}

/** Several items need a policy with a composition (design section 3), which no policy has yet. Throws `composition-unsupported`. */
export function onlyItem([item, ...others]: readonly EvidenceItem[]): EvidenceItem {
  if (item === undefined || others.length > 0)
    throw new AttestationError('composition-unsupported', 'send one evidence item', { at: 'evidence' })
  return item
}

/** The evidence that an item carries. */
export const evidenceOf = <T extends EvidenceItem['type']>(item: ItemOf<T> & { readonly type: T }): Evidence => EVIDENCE[item.type](item)

function snpOf(item: ItemOf<'snp'>): Evidence {
  const { report, report_response: response, cert_table: certTable, certificates = [] } = item
  const form = report === undefined ? 'report_response' : 'report'
  const bytes = report ?? response ?? new Uint8Array()
  return { type: 'snp', form, bytes, certificates, ...given({ certTable }) }
}

/** Members that are there: what was not sent is absent, not undefined. */
function given<K extends string>(members: Readonly<Record<K, Uint8Array | undefined>>): { readonly [N in K]?: Uint8Array } {
  const present: { [N in K]?: Uint8Array } = {}
  for (const name in members) if (members[name] !== undefined) present[name] = members[name]
  return present
}

/**
 * Throws `request-malformed` for a log that is longer than this service takes (design section 3, Limits): by default less than what the
 * schema allows, because a longer one costs more to replay.
 */
export function refuseLongLogs(items: readonly EvidenceItem[], { eventLogBytes }: { readonly eventLogBytes: number }): void {
  for (const [i, item] of items.entries()) {
    const long = logsOf(item).find(([, log]) => (log?.byteLength ?? 0) > eventLogBytes)?.[0]
    if (long === undefined) continue
    const at = `evidence[${i}].${long}`
    throw new AttestationError('request-malformed', `${at}: longer than ${eventLogBytes} bytes`, { at })
  }
}

function logsOf(item: EvidenceItem): readonly (readonly [name: string, log: Uint8Array | undefined])[] {
  if (item.type === 'tdx')
    return [
      ['event_log', item.event_log],
      ['runtime_log', item.runtime_log],
    ]
  return item.type === 'tpm' ? [['event_log', item.event_log]] : []
}

/**
 * SHA-256 (hex) over the decoded evidence: of each item its type, then name and bytes of each member in the order of the schema,
 * each preceded by its length as u32 big-endian; a list is
 * its count in decimal digits, then its elements; an object within an item is the count of its members, then name and value of each. Names an appraisal's input in audit lines; never a replay check, because signatures
 * of ECDSA can be rewritten by anyone.
 */
export const evidenceDigest = (items: readonly EvidenceItem[]): string => hash('sha256', framed(items.flatMap(partsOf)))

/** One buffer for all: a small one for each length would cost more than the hash. */
function framed(parts: readonly (string | Uint8Array)[]): Buffer {
  let size = 0
  for (const part of parts) size += 4 + Buffer.byteLength(part)
  const all = Buffer.allocUnsafe(size)
  let at = 0
  for (const part of parts) {
    const bytes = typeof part === 'string' ? all.write(part, at + 4) : put(all, part, at + 4)
    all.writeUInt32BE(bytes, at)
    at += 4 + bytes
  }
  return all
}

function put(all: Buffer, part: Uint8Array, at: number): number {
  all.set(part, at)
  return part.byteLength
}

type Value = string | Uint8Array | readonly Value[] | { readonly [name: string]: Value | undefined }

const partsOf = (item: EvidenceItem): readonly (string | Uint8Array)[] => membersOf(item).flatMap(([name, value]) => [name, ...flat(value)])

const membersOf = (object: { readonly [name: string]: Value | undefined }): readonly (readonly [string, Value])[] =>
  Object.entries(object).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]))

function flat(value: Value): readonly (string | Uint8Array)[] {
  if (typeof value === 'string' || value instanceof Uint8Array) return [value]
  if (isList(value)) return [String(value.length), ...value.flatMap(flat)]
  const members = membersOf(value)
  return [String(members.length), ...members.flatMap(([name, inner]) => [name, ...flat(inner)])]
}

const isList = (value: Value): value is readonly Value[] => Array.isArray(value)
