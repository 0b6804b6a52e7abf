import { hash, type KeyObject } from 'node:crypto'
import { failed, hasOutcome, passed, refusal, skipped, type Rule } from '../checks.ts'
import { attempt, readable } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import { readPublicKey } from '../signatures.ts'
import type { Check, Memo } from '../verifier.ts'
import { ALG, hex16 } from './algorithms.ts'
import { ATTRIBUTE, DEFINED, formatAttributes } from './attributes.ts'
import type { AkArea, AkFact } from './facts.ts'
import { endorsementPrimary, nameOf } from './name.ts'
import { parsePublicArea, type PublicArea } from './public.ts'
import { keyOf, keyOfCertificate, type VerifyingKey } from './public-key.ts'
import { readTpmCertificate } from './trust/certificate.ts'

const RESIDENT = ATTRIBUTE.fixedTPM | ATTRIBUTE.fixedParent | ATTRIBUTE.sensitiveDataOrigin

const has = ({ attributes }: PublicArea, bits: number): boolean => (attributes & bits) === bits
const hasNone = ({ attributes }: PublicArea, bits: number): boolean => (attributes & bits) === 0

const PARSES = {
  id: 'TPM-07',
  title: 'The public area of the attestation key is one of a signing key',
  code: 'tpm-ak-public-malformed',
  at: 'ak_public',
  expected: 'TPMT_PUBLIC without a byte more, no symmetric cipher, a signing scheme',
} as const

/** TPM-08 to 11: attributes, in the order in which they are asked. */
const ATTRIBUTE_RULES: readonly Rule<PublicArea>[] = [
  {
    id: 'TPM-08',
    title: 'No reserved attribute is set, and the key may not be duplicated encrypted',
    code: 'tpm-ak-attributes-invalid',
    at: 'ak_public.objectAttributes',
    expected: 'reserved bits and encryptedDuplication clear',
    actual: ({ attributes }) => formatAttributes(attributes),
    holds: (area) => hasNone(area, ~DEFINED | ATTRIBUTE.encryptedDuplication),
  },
  {
    id: 'TPM-09',
    title: 'The key was made in the TPM and stays there',
    code: 'tpm-ak-not-tpm-resident',
    at: 'ak_public.objectAttributes',
    expected: 'fixedTPM, fixedParent and sensitiveDataOrigin set',
    actual: ({ attributes }) => formatAttributes(attributes),
    holds: (area) => has(area, RESIDENT),
  },
  {
    id: 'TPM-10',
    title: 'The key signs only what the TPM made',
    code: 'tpm-ak-not-restricted',
    at: 'ak_public.objectAttributes',
    expected: 'restricted set',
    actual: ({ attributes }) => formatAttributes(attributes),
    holds: (area) => has(area, ATTRIBUTE.restricted),
  },
  {
    id: 'TPM-11',
    title: 'The key is a signing key',
    code: 'tpm-ak-not-signing-key',
    at: 'ak_public.objectAttributes',
    expected: 'sign set, decrypt clear',
    actual: ({ attributes }) => formatAttributes(attributes),
    holds: (area) => has(area, ATTRIBUTE.sign) && hasNone(area, ATTRIBUTE.decrypt),
  },
]

const STRENGTH = {
  id: 'TPM-12',
  title: 'The attestation key is strong enough',
  code: 'tpm-ak-key-weak',
  expected: 'RSA of 2048, 3072 or 4096 bits, or ECC P-256, P-384 or P-521, with a name that is not of SHA-1',
} as const

/** An attestation key that was read. Without `fact` a check failed, or (`checks` empty) a certificate cannot be read, which trust will tell. */
export type AkReading = { readonly checks: readonly Check[]; readonly fact?: AkFact }

/** Where the key is told of. */
export type AkSource = { readonly akPublic: Uint8Array | undefined; readonly certificate: Uint8Array | undefined }

/**
 * The key that quotes must be signed with: that of the public area, else that of the certificate. From the memo what was read before.
 * Throws AttestationError tpm-ak-public-malformed with the checks before it.
 */
export function readAk({ akPublic, certificate }: AkSource, memo: Memo | undefined, before: readonly Check[]): AkReading {
  if (akPublic !== undefined) return remembered(memo, { from: 'public', bytes: akPublic }, (bytes) => readFromPublicArea(bytes, before))
  return certificate === undefined ? { checks: [] } : remembered(memo, { from: 'certificate', bytes: certificate }, readFromCertificate)
}

/** A key as the bytes tell it, whatever the mode and whoever is trusted: nothing else goes into the fact. */
function remembered(memo: Memo | undefined, { from, bytes }: KeyBytes, read: (bytes: Uint8Array) => AkReading): AkReading {
  const id = `tpm-ak/1 ${from} ${hash('sha256', bytes, 'base64')}`
  const known = memo?.tpm.ak.get(id)
  if (known !== undefined) return { checks: known.checks, fact: known }
  const reading = read(bytes)
  if (reading.fact !== undefined) memo?.tpm.ak.set(id, reading.fact)
  return reading
}

type KeyBytes = { readonly from: 'public' | 'certificate'; readonly bytes: Uint8Array }

const SCHEMES: Readonly<Record<PublicArea['key']['type'], readonly number[]>> = { rsa: [ALG.rsassa, ALG.rsapss], ecc: [ALG.ecdsa] }

/** TPM-07: what is no public area of a signing key at all, or undefined. A key that signs must have a scheme to be restricted. */
function shapeFault({ symmetric, scheme, key }: PublicArea): string | undefined {
  if (symmetric !== null) return `symmetric cipher ${hex16(symmetric.alg)}`
  if (scheme === null) return 'no scheme'
  return SCHEMES[key.type].includes(scheme.alg) ? undefined : `scheme ${hex16(scheme.alg)} of an ${key.type.toUpperCase()} key`
}

function readArea(bytes: Uint8Array, before: readonly Check[]): PublicArea {
  const area = attempt(() => parsePublicArea(bytes, { what: 'ak_public', code: 'tpm-ak-public-malformed' }))
  if (area instanceof AttestationError) throw refusal(PARSES, area.message, before)
  const fault = shapeFault(area)
  if (fault !== undefined) throw refusal(PARSES, fault, before)
  return area
}

function readFromPublicArea(bytes: Uint8Array, before: readonly Check[]): AkReading {
  const area = readArea(bytes, before)
  const attributes = ATTRIBUTE_RULES.map((rule) => (rule.holds(area) ? passed(rule, rule.actual(area)) : failed(rule, rule.actual(area))))
  const key = area.nameAlg === 'sha1' ? 'a name of SHA-1' : keyOf(area)
  return concluded([passed(PARSES, `${area.bytes.length} bytes`), ...attributes], key, areaOf(area))
}

function areaOf(area: PublicArea): AkArea {
  const name = nameOf(area)
  return {
    name: hexOf(name),
    endorsementPrimary: hexOf(endorsementPrimary(area.nameAlg, name)),
    scheme: area.scheme?.alg ?? ALG.none,
    hash: area.scheme?.hash ?? ALG.none,
    stClear: has(area, ATTRIBUTE.stClear),
  }
}

/** Without a public area only the issuer of the certificate can have seen attributes (section 6). */
function readFromCertificate(bytes: Uint8Array): AkReading {
  const object = readable(() => readPublicKey(readTpmCertificate(bytes, CERTIFICATE).spki))
  if (object === undefined) return { checks: [] }
  const unseen = [PARSES, ...ATTRIBUTE_RULES].map((rule) => skipped(rule, 'no public area: the issuer of the certificate vouches for it'))
  return concluded(unseen, keyOfCertificate(object), undefined)
}

const CERTIFICATE = { what: 'ak_certificates[0]', code: 'tpm-ak-cert-chain-invalid' } as const

/** TPM-12, and the fact where nothing failed. */
function concluded(before: readonly Check[], key: VerifyingKey | string, area: AkArea | undefined): AkReading {
  if (typeof key === 'string') return { checks: [...before, failed(STRENGTH, key)] }
  const checks = [...before, passed(STRENGTH, key.algorithm)]
  if (hasOutcome(checks, 'fail')) return { checks }
  const spki = spkiOf(key.object)
  return { checks, fact: { key, spki, spkiSha256: hash('sha256', spki), area, checks } }
}

const spkiOf = (key: KeyObject): Uint8Array => key.export({ type: 'spki', format: 'der' })
