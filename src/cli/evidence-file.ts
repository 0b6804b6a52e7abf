import { evidenceItem } from '../routes/evidence-items.ts'
import { readStrictJson } from '../routes/gate.ts'
import { appraisalRequest, parseRequest, type AppraisalRequest } from '../routes/requests.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { readBytes, withoutMark } from './files.ts'
import { UsageError } from './exit.ts'

/** What EVIDENCE.json held: one item, or a request with what it says about nonce, key and audience. */
export type EvidenceFile = { readonly form: 'item' | 'request'; readonly request: AppraisalRequest }

/**
 * Reads one evidence item or an appraisal request (design section 6). Throws {@link UsageError} for a file that is not that JSON,
 * and `evidence-type-unsupported` for a type that nobody here verifies. Lengths inside are the verifier's business.
 */
export const readEvidenceFile = (path: string): EvidenceFile => parseEvidence(readBytes(path), path)

/** The same from bytes; `name` is for messages. */
export function parseEvidence(bytes: Uint8Array, name: string): EvidenceFile {
  try {
    const value = readStrictJson(withoutMark(bytes))
    if (isObject(value) && 'evidence' in value) return { form: 'request', request: parseRequest(appraisalRequest, typed(value, name)) }
    return { form: 'item', request: { evidence: [parseRequest(evidenceItem, typedItem(value, name))], binding: 'hash' } }
  } catch (error) {
    if (error instanceof AttestationError && error.code === 'request-malformed') throw new UsageError(`${name}: ${error.message}`)
    throw error
  }
}

/** Without a type it is no evidence at all, rather than evidence of an unknown type. */
function typedItem(value: unknown, name: string): unknown {
  if (isObject(value) && typeof value['type'] === 'string') return value
  throw new UsageError(`${name} is neither an evidence item ({"type": "snp", …}) nor an appraisal request ({"evidence": […], …})`)
}

function typed(value: Readonly<Record<string, unknown>>, name: string): unknown {
  if (Array.isArray(value['evidence'])) for (const item of value['evidence']) typedItem(item, name)
  return value
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
