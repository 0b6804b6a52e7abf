/** Hashes that EK templates name objects with. */
export type NameHash = 'sha256' | 'sha384' | 'sha512'

/** A TPM's ids of hashes and the length of their digests (specification tpm.md section 1). */
export const NAME_HASHES = {
  sha256: { id: 0x000b, bytes: 32 },
  sha384: { id: 0x000c, bytes: 48 },
  sha512: { id: 0x000d, bytes: 64 },
} as const satisfies Record<NameHash, { readonly id: number; readonly bytes: number }>

/** Kinds of endorsement keys for which there is a template: RSA by size, elliptic curves by name. */
export type EkKind = 'rsa-2048' | 'rsa-3072' | 'rsa-4096' | 'ecc-p256' | 'ecc-p384' | 'ecc-p521'

/** What every template of one kind has in common; it is all that a credential for such a key depends on, beside the key. */
export type EkParameters = {
  readonly nameHash: NameHash
  /** Bits of the AES key that protects what the EK is the parent of. */
  readonly symmetricBits: 128 | 256
}

/** Elliptic curves of EKs: the TPM's id, Node's name, the name in a JWK, and the length of a coordinate. */
export const CURVES = {
  'ecc-p256': { id: 3, node: 'prime256v1', jwk: 'P-256', bytes: 32 },
  'ecc-p384': { id: 4, node: 'secp384r1', jwk: 'P-384', bytes: 48 },
  'ecc-p521': { id: 5, node: 'secp521r1', jwk: 'P-521', bytes: 66 },
} as const

/** Lengths of RSA moduli in bits. */
export const RSA_BITS = { 'rsa-2048': 2048, 'rsa-3072': 3072, 'rsa-4096': 4096 } as const

/** The parameters of each kind (section 7). */
export const EK_PARAMETERS: Readonly<Record<EkKind, EkParameters>> = {
  'rsa-2048': { nameHash: 'sha256', symmetricBits: 128 },
  'rsa-3072': { nameHash: 'sha384', symmetricBits: 256 },
  'rsa-4096': { nameHash: 'sha384', symmetricBits: 256 },
  'ecc-p256': { nameHash: 'sha256', symmetricBits: 128 },
  'ecc-p384': { nameHash: 'sha384', symmetricBits: 256 },
  'ecc-p521': { nameHash: 'sha512', symmetricBits: 256 },
}

/** One template of the TCG EK credential profile (section 7): all of a public area but the key itself. */
export type EkTemplate = {
  readonly name: 'L-1' | 'L-2' | 'H-1' | 'H-2' | 'H-3' | 'H-4' | 'H-6' | 'H-7'
  readonly kind: EkKind
  readonly attributes: number
  /** Hexadecimal. */
  readonly authPolicy: string
}

/** fixedTPM, fixedParent, sensitiveDataOrigin, adminWithPolicy, restricted, decrypt. */
const LOW_RANGE = 0x000300b2
/** The same and userWithAuth. */
const HIGH_RANGE = 0x000300f2

/** PolicySecret(endorsement) of the low range. */
const LOW_POLICY = '837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa'

/** PolicyOR(PolicySecret(endorsement), PolicyAuthorizeNV) of the high range, by the hash of the names. */
const HIGH_POLICY = {
  sha256: 'ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0',
  sha384: 'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
  sha512:
    'b8221ca69e8550a4914de3faa6a18c072cc01208073a928d5d66d59ef79e49a429c41a6b269571d57edb25fbdb1838425608b413cd616a5f6db5b6071af99bea',
} as const satisfies Record<NameHash, string>

const low = (name: EkTemplate['name'], kind: EkKind): EkTemplate => ({ name, kind, attributes: LOW_RANGE, authPolicy: LOW_POLICY })

const high = (name: EkTemplate['name'], kind: EkKind): EkTemplate => ({
  name,
  kind,
  attributes: HIGH_RANGE,
  authPolicy: HIGH_POLICY[EK_PARAMETERS[kind].nameHash],
})

/** Every template that is known. H-5 is for SM2, which is not supported. */
export const EK_TEMPLATES: readonly EkTemplate[] = [
  low('L-1', 'rsa-2048'),
  low('L-2', 'ecc-p256'),
  high('H-1', 'rsa-2048'),
  high('H-2', 'ecc-p256'),
  high('H-3', 'ecc-p384'),
  high('H-4', 'ecc-p521'),
  high('H-6', 'rsa-3072'),
  high('H-7', 'rsa-4096'),
]
