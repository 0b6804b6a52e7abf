import { mintRevocationList, type RevocationListSpec } from './certificates.ts'
import { authorityKeyIdentifier, crlNumber, keyCompromise, type SimExtension } from './der.ts'
import { keyIdentifierOf, type IntelAuthority } from './intel-authorities.ts'
import { intelName } from './names.ts'

/** A revocation list of Intel's. Defaults: an hour old, good for 30 days (a year for the root's), empty, number 1 as all of Intel's. */
export type IntelCrlRequest = {
  readonly issuer: 'root' | 'platform' | 'processor'
  readonly number?: bigint
  readonly thisUpdate?: Date
  readonly nextUpdate?: Date | 'absent'
  readonly revoked?: readonly bigint[]
  readonly overrides?: IntelCrlOverrides
}

/** What may differ from a list as Intel would have made it; `signWith` signs in the issuer's place under its name. */
type IntelCrlOverrides = Partial<Pick<RevocationListSpec, 'issuer' | 'scheme' | 'entryExtensions'>> & {
  readonly signWith?: Pick<IntelAuthority, 'privateKey'>
  readonly extensions?: (standard: readonly SimExtension[]) => readonly SimExtension[]
}

const HOUR = 3_600_000
const DAYS = { root: 365, platform: 30, processor: 30 } as const

/** Signs a list as its issuer. */
export function mintIntelCrl(issuer: IntelAuthority, request: IntelCrlRequest, now: Date): Uint8Array {
  const { number, revoked, thisUpdate, nextUpdate, overrides } = { ...defaults(request, now), ...request }
  const { signWith = issuer, extensions = (same: readonly SimExtension[]) => same, ...fields } = overrides
  return mintRevocationList({
    issuer: intelName(issuer.commonName),
    thisUpdate,
    nextUpdate: nextUpdate === 'absent' ? undefined : nextUpdate,
    revoked,
    entryExtensions: [keyCompromise],
    scheme: 'ecdsa-sha256',
    signingKey: signWith.privateKey,
    ...fields,
    extensions: extensions([crlNumber(number), authorityKeyIdentifier(keyIdentifierOf(issuer.privateKey))]),
  })
}

function defaults({ issuer, thisUpdate }: IntelCrlRequest, now: Date): Required<Omit<IntelCrlRequest, 'issuer'>> {
  const made = thisUpdate ?? new Date(now.getTime() - HOUR)
  return { number: 1n, revoked: [], thisUpdate: made, nextUpdate: new Date(made.getTime() + DAYS[issuer] * 24 * HOUR), overrides: {} }
}
