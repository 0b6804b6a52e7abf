import type { AmdEndpoint } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { Authority } from './authorities.ts'
import { mintRevocationList, type RevocationListSpec } from './certificates.ts'
import { crlNumber, type SimExtension } from './der.ts'
import { amdName } from './names.ts'

/** A revocation list: everything is optional but the product. Defaults: number 1, an hour old, good for 30 days, empty, signed by the ARK. */
export type CrlRequest = {
  readonly product: SnpProduct
  /** Nothing in a list says which endpoint serves it; it only makes calls readable. */
  readonly endpoint?: AmdEndpoint
  readonly number?: bigint
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date | 'absent'
  readonly revoked?: readonly bigint[]
  readonly overrides?: CrlOverrides
}

/** What may differ from a list as AMD would have made it; `signWith` signs in the ARK's place under the ARK's name. */
type CrlOverrides = Partial<Pick<RevocationListSpec, 'issuer' | 'scheme'>> & {
  readonly signWith?: Pick<Authority, 'privateKey'>
  readonly extensions?: (standard: readonly SimExtension[]) => readonly SimExtension[]
}

const HOUR = 3_600_000

/** Signs a list as the ARK of its product. */
export function mintCrl(ark: Authority, request: CrlRequest, now: Date): Uint8Array {
  const { number, revoked, thisUpdate, nextUpdate, overrides } = { ...defaults(now), ...request }
  const { signWith = ark, extensions = (same) => same, ...fields } = overrides
  return mintRevocationList({
    issuer: amdName(ark.commonName),
    thisUpdate,
    nextUpdate: nextUpdate === 'absent' ? undefined : nextUpdate,
    revoked,
    scheme: 'pss-sha384',
    signingKey: signWith.privateKey,
    ...fields,
    extensions: extensions([crlNumber(number)]),
  })
}

const defaults = (now: Date): Required<Omit<CrlRequest, 'product' | 'endpoint'>> => ({
  number: 1n,
  revoked: [],
  thisUpdate: new Date(now.getTime() - HOUR),
  nextUpdate: new Date(now.getTime() + 30 * 24 * HOUR),
  overrides: {},
})
