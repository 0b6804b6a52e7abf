import type { Audience } from '../access/audiences.ts'
import type { CheckedChallenge } from '../access/challenge.ts'
import type { Freshness } from '../appraisal/appraisal.ts'
import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { AppraisalRequest } from './requests.ts'
import type { Services } from './services.ts'

/** Who decides this request: the audience that the token is for, and one of its policies. */
export type Authority = { readonly audience: Audience; readonly policy: ActivePolicy }

/** The nonce that evidence must bind. A challenge is checked here but not spent. */
export type CheckedNonce = {
  readonly bytes: Uint8Array
  readonly freshness: Freshness
  readonly challenge: CheckedChallenge | undefined
}

/** Throws `nonce-conflict`, what checking a challenge throws, or why a nonce of the relying party is not taken (design section 3, Challenge). */
export async function checkNonce(request: AppraisalRequest, authority: Authority, services: Services): Promise<CheckedNonce> {
  const { nonce, relying_party_nonce: foreign } = request
  if (nonce !== undefined && foreign === undefined) {
    return { bytes: nonce, freshness: 'challenge', challenge: await services.challenges.check(nonce) }
  }
  if (nonce !== undefined || foreign === undefined) throw new AttestationError('nonce-conflict', 'send one nonce', { at: 'nonce' })
  checkForeign(foreign, authority, services)
  if (!isUsable(foreign, request, services)) throw unusable()
  return { bytes: foreign, freshness: 'relying-party', challenge: undefined }
}

/** Whether the nonce was ours is asked first: a challenge in the wrong place is a mistake worth naming wherever it is made. */
function checkForeign(nonce: Uint8Array, { audience, policy }: Authority, services: Services): void {
  const at = 'relying_party_nonce'
  if (services.challenges.isOurs(nonce))
    throw new AttestationError('challenge-misused', 'this nonce is a challenge of this service', { at })
  if (audience.relyingPartyNonce !== 'allow' || policy.document.relying_party_nonce !== 'allow') {
    throw new AttestationError('relying-party-nonce-not-allowed', 'audience and policy do not both allow it', { at })
  }
}

const FOREIGN_BYTES = { hash: [8, 64], nonce: [8, 48] } as const
const REPORT_DATA_BYTES = 64

/** Bytes of a SHA-256, which is what extraData holds under binding `hash`. */
const HASH_BYTES = 32

function isUsable(nonce: Uint8Array, request: AppraisalRequest, { mode }: Services): boolean {
  const { binding } = request
  if (mode === 'test' && isFixed(nonce, request)) return true
  const [min, max] = FOREIGN_BYTES[binding]
  if (nonce.length < min || nonce.length > max) return false
  // Behind zero padding, a nonce that ends in zero could stand for a shorter one.
  if (binding === 'nonce' && nonce.at(-1) === 0) return false
  // No peer may hand in, as a nonce, the hash that another request binds.
  return nonce.length !== HASH_BYTES || !isExtraData(request)
}

/** Fixed vectors bind whatever their makers chose (design section 5): 64 bytes as REPORT_DATA, any that fit as extraData. */
const isFixed = (nonce: Uint8Array, request: AppraisalRequest): boolean =>
  request.binding === 'nonce' &&
  (nonce.length === REPORT_DATA_BYTES || (isExtraData(request) && nonce.length > 0 && nonce.length < REPORT_DATA_BYTES))

/** Whether the nonce itself is what a TPM quote must hold. */
const isExtraData = ({ binding, evidence }: AppraisalRequest): boolean => binding === 'nonce' && evidence.some(({ type }) => type === 'tpm')

const unusable = () =>
  new AttestationError('relying-party-nonce-invalid', 'its length or last byte does not fit the binding', { at: 'relying_party_nonce' })
