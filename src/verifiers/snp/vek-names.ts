import { ATTRIBUTE, sameName, type DistinguishedName } from '../x509-name.ts'
import type { AmdAnchor } from '../verifier.ts'
import { SNP_PRODUCTS } from './address.ts'

/** The attributes that AMD puts before the common name, in its order (specification snp.md section 6.3). */
const AMD_PREFIX: DistinguishedName = [
  { oid: ATTRIBUTE.OU, value: 'Engineering' },
  { oid: ATTRIBUTE.C, value: 'US' },
  { oid: ATTRIBUTE.L, value: 'Santa Clara' },
  { oid: ATTRIBUTE.ST, value: 'CA' },
  { oid: ATTRIBUTE.O, value: 'Advanced Micro Devices' },
]

/** The name of one of AMD's certificates. */
export const amdName = (commonName: string): DistinguishedName => [...AMD_PREFIX, { oid: ATTRIBUTE.CN, value: commonName }]

/** Whether a name is AMD's apart from the common name, of which it must have exactly one, at the end. */
export const isAmdName = (name: DistinguishedName): boolean => sameName(name, amdName(name.at(-1)?.value ?? ''))

/** The common names of the two kinds of endorsement key. */
const KIND_OF_NAME: Readonly<Record<string, 'vcek' | 'vlek'>> = { 'SEV-VCEK': 'vcek', 'SEV-VLEK': 'vlek' }

/** The kind of endorsement key that a common name says; undefined for any other name. */
export const kindOf = (commonName: string | undefined): 'vcek' | 'vlek' | undefined =>
  commonName !== undefined && Object.hasOwn(KIND_OF_NAME, commonName) ? KIND_OF_NAME[commonName] : undefined

/** Which authority signs each kind. */
export const ISSUER_ROLE = { vcek: 'ask', vlek: 'asvk' } as const satisfies Record<'vcek' | 'vlek', AmdAnchor['role']>

const COMMON_NAME_START = { ark: 'ARK-', ask: 'SEV-', asvk: 'SEV-VLEK-' } as const satisfies Record<AmdAnchor['role'], string>

/** The common name of an authority: `ARK-Milan`, `SEV-Milan`, `SEV-VLEK-Milan`. */
export const authorityName = (role: AmdAnchor['role'], product: AmdAnchor['product']): string => `${COMMON_NAME_START[role]}${product}`

/** Whether a common name is that of one of AMD's authorities. */
export const isAuthorityName = (commonName: string | undefined): boolean =>
  SNP_PRODUCTS.some((product) => (['ark', 'ask', 'asvk'] as const).some((role) => authorityName(role, product) === commonName))
