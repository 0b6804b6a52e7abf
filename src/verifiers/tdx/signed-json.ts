import type { KeyObject } from 'node:crypto'
import { parseJsonMembers, type Json, type JsonMember } from '../json.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import { verifyEcdsaInPlace } from '../signatures.ts'

/** What a signed document of Intel's is called, and the codes of its faults. */
export type SignedKind = {
  /** The member that holds the document. */
  readonly member: string
  readonly malformed: Extract<ProblemCode, 'tdx-tcb-info-malformed' | 'tdx-qe-identity-malformed'>
  readonly unsigned: Extract<ProblemCode, 'tdx-tcb-info-invalid-signature' | 'tdx-qe-identity-invalid-signature'>
}

/** r and s of P-256 in hex (specification tdx.md section 2, S7). */
const SIGNATURE = /^[0-9a-fA-F]{128}$/

/**
 * The value of a signed document (section 2, S7): `{"tcbInfo": {…}, "signature": "…"}` and nothing else, the signature over the exact bytes of
 * the value. Text and value come from one reading, so what was signed is what is used. Throws AttestationError with the codes of `kind`.
 */
export function openSignedJson(body: Uint8Array, kind: SignedKind, key: KeyObject): Json {
  const document = { what: kind.member, code: kind.malformed }
  const { value, source, signature } = outlineOf(parseJsonMembers(body, document), kind)
  const data = new TextEncoder().encode(source)
  if (verifyEcdsaInPlace({ key, data, signature })) return value
  throw new AttestationError(kind.unsigned, 'not signed by the TCB signing key', { at: kind.member })
}

function outlineOf(members: ReadonlyMap<string, JsonMember>, { member, malformed }: SignedKind): JsonMember & { signature: Uint8Array } {
  const document = members.get(member)
  const signature = members.get('signature')?.value
  if (members.size !== 2 || document === undefined || typeof signature !== 'string' || !SIGNATURE.test(signature))
    throw new AttestationError(malformed, `not ${member} and a signature of 128 hex digits alone`, { at: member })
  return { ...document, signature: new Uint8Array(Buffer.from(signature, 'hex')) }
}
