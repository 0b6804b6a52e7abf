import { z } from 'zod'
import { AttestationError } from '../verifiers/problems.ts'
import { PARSED_FORM, evidenceItems } from './evidence-items.ts'
import { base64Bytes } from './wire.ts'

/** Wide enough that a nonce of a wrong length is named by its own problem. */
export const NONCE_TEXT_BYTES = 1024
/** The largest proof is that of an RSA key of 4096 bits. */
export const PROOF_BYTES = 1024
const RUNTIME_DATA_BYTES = 64 * 1024
/** Characters of a name of an audience or a policy. */
export const NAME_LENGTH = 255

/** The body of POST /v1/appraisals (design section 3, Appraisal request). */
export const appraisalRequest = z
  .strictObject({
    evidence: evidenceItems,
    nonce: base64Bytes(NONCE_TEXT_BYTES, 'A challenge from POST /v1/challenges').optional(),
    relying_party_nonce: base64Bytes(NONCE_TEXT_BYTES, 'A nonce of the relying party, where audience and policy allow it').optional(),
    binding: z.enum(['hash', 'nonce']).default('hash').meta({ description: 'How the nonce is bound into the evidence' }),
    runtime_data: base64Bytes(RUNTIME_DATA_BYTES, 'Data of the attester that the evidence binds').optional(),
    cnf_jwk: z.record(z.string(), z.unknown()).optional().meta({ description: 'Public key (RFC 7517) that the evidence binds' }),
    cnf_proof: base64Bytes(PROOF_BYTES, 'Signature of that key over the proof input').optional(),
    audience: z.string().min(1).max(NAME_LENGTH).optional().meta({ description: 'Whom the token is for; absent: `default`' }),
    policy: z.string().min(1).max(NAME_LENGTH).optional().meta({ description: 'One of the policies of the audience; absent: its first' }),
  })
  .meta({ id: 'AppraisalRequest' })

/** What is asked, with decoded bytes. */
export type AppraisalRequest = z.output<typeof appraisalRequest>

/** The body of POST /v1/inspections. */
export const inspectionRequest = z.strictObject({ evidence: evidenceItems }).meta({ id: 'InspectionRequest' })

/** The body of POST /v1/challenges may be left out: there is nothing to choose yet. */
export const challengeRequest = z.strictObject({}).meta({ id: 'ChallengeRequest' })

/** Problems that one answer lists; more would only repeat. */
const MAX_ISSUES = 5

/**
 * A value by its schema. Throws `evidence-type-unsupported` for an unknown type of evidence, `snp-envelope-not-raw` for a report in parsed form,
 * else `request-malformed` naming the members.
 */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const { issues } = result.error
  const unknownType = issues.find((issue) => issue.code === 'invalid_union' && issue.discriminator === 'type')
  if (unknownType !== undefined) {
    throw new AttestationError('evidence-type-unsupported', 'the type of this item is not supported', { at: pathText(unknownType.path) })
  }
  const parsedForm = issues.find(({ message }) => message === PARSED_FORM)
  if (parsedForm !== undefined) throw new AttestationError('snp-envelope-not-raw', PARSED_FORM, { at: pathText(parsedForm.path) })
  const detail = issues.slice(0, MAX_ISSUES).map((issue) => `${pathText(issue.path)}: ${issueText(issue)}`)
  throw new AttestationError('request-malformed', detail.join('; '), { at: pathText(issues[0]?.path ?? []) })
}

/** Names that callers made up are repeated only where they are plain words, so that logs and answers stay readable. */
const PLAIN_NAME = /^[A-Za-z0-9_.-]{1,40}$/

function issueText(issue: z.core.$ZodIssue): string {
  if (issue.code !== 'unrecognized_keys') return issue.message
  const names = issue.keys.filter((name) => PLAIN_NAME.test(name)).slice(0, MAX_ISSUES)
  return names.length === 0 ? 'has unknown members' : `has unknown members: ${names.join(', ')}`
}

/** `evidence[0].report`; the whole body is `body`. */
function pathText(path: readonly PropertyKey[]): string {
  if (path.length === 0) return 'body'
  return path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? String(part) : `${text}.${String(part)}`),
    '',
  )
}
