import { base64Length, decodeBase64 } from '../base64.ts'
import { BYTES, type EvidenceItem } from './evidence-items.ts'
import { NAME_LENGTH, NONCE_TEXT_BYTES, PROOF_BYTES, type AppraisalRequest } from './requests.ts'

/**
 * Reads a request of the forms that nodes send day by day: one item, a challenge, perhaps names and a bound key. Undefined for any other,
 * also for one that breaks a rule: then the schema judges, which is the contract and says what is wrong. A test holds the two together.
 * Asking the schema each time costs ten times as much.
 */
export function plainRequest(value: unknown): AppraisalRequest | undefined {
  if (!isRecord(value)) return undefined
  const { evidence, nonce, audience, policy, cnf_jwk: jwk, cnf_proof: proof } = value
  const known = [evidence, nonce, audience, policy, jwk, proof]
  if (hasOthers(value, known)) return undefined
  const [item, challenge] = [onlyItem(evidence), bytesOf(nonce, NONCE_TEXT_BYTES)]
  const [bound, names] = [boundKey(jwk, proof), namesOf(audience, policy)]
  const isPlain = item !== undefined && challenge !== undefined && bound !== undefined && names !== undefined
  return isPlain ? { evidence: [item], nonce: challenge, binding: 'hash', ...bound, ...names } : undefined
}

function onlyItem(evidence: unknown): EvidenceItem | undefined {
  const item: unknown = Array.isArray(evidence) && evidence.length === 1 ? evidence[0] : undefined
  if (!isRecord(item)) return undefined
  const read = isType(item['type']) ? ITEMS[item['type']] : undefined
  return read?.(item)
}

type Members = Readonly<Record<string, unknown>>

/** Members in the order of the schema, which the digest of the evidence follows. */
const ITEMS = {
  snp: (item) => {
    const { type, report } = item
    const bytes = hasOthers(item, [type, report]) ? undefined : bytesOf(report, BYTES.report)
    return bytes && { type: 'snp', report: bytes }
  },
  tdx: (item) => {
    const { type, quote } = item
    const bytes = hasOthers(item, [type, quote]) ? undefined : bytesOf(quote, BYTES.quote)
    return bytes && { type: 'tdx', quote: bytes }
  },
  tsm: (item) => {
    const { type, provider, outblob } = item
    const bytes = hasOthers(item, [type, provider, outblob]) ? undefined : bytesOf(outblob, BYTES.quote)
    return bytes && (provider === 'sev_guest' || provider === 'tdx_guest') ? { type: 'tsm', provider, outblob: bytes } : undefined
  },
} as const satisfies Readonly<Record<string, (item: Members) => EvidenceItem | undefined>>

const isType = (type: unknown): type is keyof typeof ITEMS => type === 'snp' || type === 'tdx' || type === 'tsm'

/** Key and proof, each as it came; undefined for what the schema must judge. */
function boundKey(jwk: unknown, proof: unknown): Pick<AppraisalRequest, 'cnf_jwk' | 'cnf_proof'> | undefined {
  if (jwk === undefined && proof === undefined) return {}
  const signature = bytesOf(proof, PROOF_BYTES)
  return isRecord(jwk) && signature !== undefined ? { cnf_jwk: jwk, cnf_proof: signature } : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Whether an object has members besides these, of which absent ones are undefined: no value of JSON is. */
function hasOthers(object: Members, known: readonly unknown[]): boolean {
  let present = 0
  for (const value of known) if (value !== undefined) present += 1
  return Object.keys(object).length !== present
}

/** Both as they came; undefined for what the schema must judge. */
function namesOf(audience: unknown, policy: unknown): Pick<AppraisalRequest, 'audience' | 'policy'> | undefined {
  if (!isName(audience) || !isName(policy)) return undefined
  return { ...(audience === undefined ? {} : { audience }), ...(policy === undefined ? {} : { policy }) }
}

const isName = (value: unknown): value is string | undefined =>
  value === undefined || (typeof value === 'string' && value.length > 0 && value.length <= NAME_LENGTH)

const bytesOf = (text: unknown, most: number): Uint8Array | undefined =>
  typeof text === 'string' && text.length <= base64Length(most) ? decodeBase64(text) : undefined
