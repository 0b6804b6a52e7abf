import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  NO_COLLATERAL,
  NOW,
  USE,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  directoryNames,
  ecKeys,
  ekCertificate,
  keyedBy,
  listOf,
  named,
  purposes,
  specification,
  spkiOf,
  swapped,
  tlv,
  tpmAttributes,
  without,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import { derSequence, type DerExtension } from '../../../asn1/values.ts'
import { authorityKeyIdentifier, basicConstraints, derOid, extension, keyUsage } from '../../../simulator/der.ts'
import type { TpmAnchor } from '../anchors.ts'
import { tpmCrlAddress } from './address.ts'
import { ekNeeds, verifyEk, type EkInput, type EkRigour } from './ek-certificate.ts'
import { readTpmCertificate } from './certificate.ts'
import { leafKeyOf } from './signed-by.ts'

const root = authority('STM root')
const maker = authority('STM maker', root)
const tpm = ecKeys('P-384')
const LENIENT: EkRigour = { skewSeconds: 0, softwareTpm: 'refuse', expiredCertificate: 'refuse', revocation: 'require', crlGraceSeconds: 0 }

type Given = {
  readonly variation?: Variation
  readonly certificate?: Uint8Array
  readonly chain?: readonly Uint8Array[]
  readonly roots?: readonly TpmAnchor[]
  readonly rigour?: Partial<EkRigour>
  readonly now?: Date
  readonly key?: typeof tpm
  readonly lists?: readonly Uint8Array[]
}

const source = { issuerSpkiSha256: maker.spkiSha256, address: tpmCrlAddress(maker.spkiSha256) }

const STANDARD = {
  variation: {},
  key: tpm,
  chain: [maker.der],
  roots: [anchorFor(root, { authority: 'st' })],
  rigour: {},
  now: NOW,
} as const

function verify(given: Given = {}) {
  const { variation, key, rigour, chain, roots, now, certificate, lists } = {
    certificate: undefined,
    lists: undefined,
    ...STANDARD,
    ...given,
  }
  const documents = new Map((lists ?? []).map((bytes) => [source.address, bytes]))
  const input: EkInput = {
    certificate: certificate ?? ekCertificate(key.publicKey, maker, variation),
    chain,
    anchors: anchorsWith({ roots, pool: [root.der], crlSources: lists === undefined ? [] : [source] }),
    collateral: { ...NO_COLLATERAL, documents },
    now,
    mode: 'production',
    memo: contextWith().memo.tpm,
    rigour: { ...LENIENT, ...rigour },
  }
  return verifyEk(input)
}

const failures = ({ checks }: ReturnType<typeof verifyEk>) =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
function refused(given: Given) {
  const judged = verify(given)
  expect(judged.ek).toBeUndefined()
  return failures(judged)
}

const san = (value: Uint8Array, critical = true): DerExtension => ({ oid: '2.5.29.17', critical, value })
const add =
  (...more: readonly DerExtension[]) =>
  (all: readonly DerExtension[]) => [...all, ...more]

describe('an endorsement certificate', () => {
  it('tells of a genuine TPM', () => {
    const judged = verify()
    expect(failures(judged)).toEqual([])
    expect(judged.ek).toMatchObject({
      manufacturer: '53544d20',
      model: 'ST33',
      version: 'id:00010101',
      spkiSha256: createHash('sha256').update(spkiOf(tpm.publicKey)).digest('hex'),
      authoritiesSha256: [maker.sha256, root.sha256],
      authority: 'st',
      revocation: 'not-configured',
      validUntil: years(5),
    })
    expect(judged.ek?.key.equals(tpm.publicKey)).toBe(true)
  })
  it.each<readonly [string, Given]>([
    ['its attributes in one relative name', { variation: { extensions: swapped(san(directoryNames([tpmAttributes()], 'one'))) } }],
    [
      'a serial number among its attributes',
      { variation: { extensions: swapped(san(directoryNames([[...tpmAttributes(), ['2.5.4.5', '1']]]))) } },
    ],
    [
      'a subject, and a name that is not critical',
      { variation: { subject: named('tpm'), extensions: swapped(san(directoryNames([tpmAttributes()]), false)) } },
    ],
    ['its manufacturer in lower case', { variation: { extensions: swapped(san(directoryNames([tpmAttributes('id:53544d20')]))) } }],
    ['no purpose', { variation: { extensions: without('2.5.29.37') } }],
    ['its specification', { variation: { extensions: add(specification('2.0')) } }],
    ['00 behind it', { certificate: Buffer.concat([ekCertificate(tpm.publicKey, maker), Buffer.alloc(200)]) }],
    ['FF behind it', { certificate: Buffer.concat([ekCertificate(tpm.publicKey, maker), Buffer.alloc(200, 0xff)]) }],
  ])('may have %s', (_, given) => expect(failures(verify(given))).toEqual([]))

  const PROFILE = 'TPM-25 tpm-ek-cert-profile-invalid'
  it.each<readonly [string, Given]>([
    ['it is an authority', { variation: { extensions: swapped(basicConstraints('ca')) } }],
    ['it limits paths', { variation: { extensions: swapped(basicConstraints('end-entity', 0)) } }],
    [
      'its basicConstraints are not critical',
      { variation: { extensions: swapped({ ...basicConstraints('end-entity'), critical: false }) } },
    ],
    ['it has no basicConstraints', { variation: { extensions: without('2.5.29.19') } }],
    ['its keyUsage is not critical', { variation: { extensions: swapped({ ...keyUsage(USE.keyAgreement), critical: false }) } }],
    ['its key only signs', { variation: { extensions: swapped(keyUsage(USE.digitalSignature)) } }],
    ['its key also signs certificates', { variation: { extensions: swapped(keyUsage(USE.keyAgreement | USE.keyCertSign)) } }],
    ['its EC key encrypts', { variation: { extensions: swapped(keyUsage(USE.keyEncipherment)) } }],
    ['it has no subjectAltName', { variation: { extensions: without('2.5.29.17') } }],
    [
      'it has no subject, and its name is not critical',
      { variation: { extensions: swapped(san(directoryNames([tpmAttributes()]), false)) } },
    ],
    ['it has two directory names', { variation: { extensions: swapped(san(directoryNames([tpmAttributes(), tpmAttributes()]))) } }],
    ['it has two manufacturers', { variation: { extensions: swapped(san(directoryNames([[...tpmAttributes(), ...tpmAttributes()]]))) } }],
    ['it has no model', { variation: { extensions: swapped(san(directoryNames([tpmAttributes().toSpliced(1, 1)]))) } }],
    ['its manufacturer is no vendor id', { variation: { extensions: swapped(san(directoryNames([tpmAttributes('id:STM')]))) } }],
    [
      'its manufacturer is followed by something',
      { variation: { extensions: swapped(san(directoryNames([tpmAttributes('id:53544D20 ')]))) } },
    ],
    ['it has another purpose', { variation: { extensions: swapped(purposes('2.23.133.8.3')) } }],
    ['its purpose is critical', { variation: { extensions: swapped({ ...purposes('2.23.133.8.1'), critical: true }) } }],
    ['it does not identify its issuer’s key', { variation: { extensions: without('2.5.29.35') } }],
    ['it identifies no key', { variation: { extensions: swapped(extension('2.5.29.35', Uint8Array.of(0x30, 0))) } }],
    [
      'it identifies its issuer critically',
      { variation: { extensions: swapped({ ...authorityKeyIdentifier(Buffer.alloc(20)), critical: true }) } },
    ],
    ['its serial number is zero', { variation: { serial: 0n } }],
    ['it has an unknown critical extension', { variation: { extensions: add({ oid: '1.2.3', critical: true, value: tlv(5) }) } }],
    ['it is of TPM 1.2', { variation: { extensions: add(specification('1.2')) } }],
    ['its specification cannot be read', { variation: { extensions: add(extension('2.5.29.9', tlv(5))) } }],
    ['its subjectAltName cannot be read', { variation: { extensions: swapped(san(tlv(5))) } }],
    ['its key is weak', { key: ecKeys('secp256k1') }],
    ['01 is behind it', { certificate: Buffer.concat([ekCertificate(tpm.publicKey, maker), Buffer.alloc(3, 1)]) }],
    ['00 and FF are behind it', { certificate: Buffer.concat([ekCertificate(tpm.publicKey, maker), Uint8Array.of(0, 0xff)]) }],
    ['it ends early', { certificate: ekCertificate(tpm.publicKey, maker).slice(0, -1) }],
    ['it is nothing', { certificate: Uint8Array.of() }],
  ])('does not follow the profile where %s', (_, given) => expect(refused(given)).toEqual([PROFILE]))
  it('has an issuer', () => {
    const nameless = authority('', undefined, { subject: [] })
    expect(refused({ certificate: ekCertificate(tpm.publicKey, nameless), roots: [anchorFor(nameless)], chain: [nameless.der] })).toEqual([
      PROFILE,
    ])
  })

  const stranger = authority('STM maker', authority('STM root'))
  it.each<readonly [string, Given, string]>([
    ['it leads nowhere', { chain: [] }, 'TPM-26 tpm-ek-cert-chain-invalid'],
    [
      'its issuer is another of the same name',
      { certificate: ekCertificate(tpm.publicKey, stranger), chain: [stranger.der] },
      'TPM-26 tpm-ek-cert-chain-invalid',
    ],
    ['its root is one for attestation keys', { roots: [anchorFor(root, { roles: ['ak'] })] }, 'TPM-26 tpm-ek-cert-chain-invalid'],
    ['it ended', { now: years(5.1) }, 'TPM-26 tpm-ek-cert-expired'],
    ['it has not begun', { now: years(-1.1), rigour: { expiredCertificate: 'allow' } }, 'TPM-26 tpm-ek-cert-expired'],
    [
      'it ends before it begins',
      { variation: { notBefore: years(1), notAfter: years(-0.1) }, rigour: { expiredCertificate: 'allow' } },
      'TPM-26 tpm-ek-cert-expired',
    ],
    ['an authority ended, which is never let pass', endedMaker(), 'TPM-26 tpm-ek-cert-expired'],
    ['it is on a list', { lists: [listOf(maker, { revoked: [0x1001n] })] }, 'TPM-26 tpm-ek-cert-revoked'],
    ['a list is absent', { lists: [] }, 'TPM-26 tpm-crl-unavailable'],
    ['its manufacturer is another', { roots: [anchorFor(root, { manufacturers: ['494e5443'] })] }, 'TPM-30 tpm-manufacturer-not-allowed'],
    ['its root vouches for nobody', { roots: [anchorFor(root, { manufacturers: [] })] }, 'TPM-30 tpm-manufacturer-not-allowed'],
    [
      'it is of a program',
      { variation: software(), roots: [anchorFor(root, { manufacturers: null })] },
      'TPM-30 tpm-software-tpm-not-allowed',
    ],
    [
      'it is of a program, under a manufacturer',
      { variation: software(), rigour: { softwareTpm: 'allow' } },
      'TPM-30 tpm-manufacturer-not-allowed',
    ],
  ])('is refused where %s', (_, given, failure) => expect(refused(given)).toEqual([failure]))

  function endedMaker(): Given {
    const ended = authority('STM maker', root, { keys: maker.keys, notAfter: years(-0.5) })
    return { chain: [ended.der], rigour: { expiredCertificate: 'allow' } }
  }
  function software(): Variation {
    return { extensions: swapped(san(directoryNames([tpmAttributes('id:00001014')]))) }
  }
  it('may have ended where that is let pass, and then its authorities count', () => {
    const given: Given = { variation: { notAfter: years(-0.1) }, rigour: { expiredCertificate: 'allow' } }
    expect(verify(given).ek?.validUntil).toEqual(years(5))
    expect(refused({ ...given, rigour: {} })).toEqual(['TPM-26 tpm-ek-cert-expired'])
  })
  it('is checked against the list that is at hand', () => {
    expect(verify({ lists: [listOf(maker)] }).ek).toMatchObject({ revocation: 'checked' })
    expect(verify({ lists: [], rigour: { revocation: 'prefer' } }).ek).toMatchObject({ revocation: 'not-checked' })
  })
  it('is of a program where that is let pass', () => {
    const given: Given = {
      variation: software(),
      roots: [anchorFor(root, { manufacturers: ['00001014'] })],
      rigour: { softwareTpm: 'allow' },
    }
    expect(verify(given).ek?.manufacturer).toBe('00001014')
  })
  it('needs the lists of its authorities', () => {
    const certificate = ekCertificate(tpm.publicKey, maker)
    const anchors = anchorsWith({ roots: [anchorFor(root)], pool: [root.der], crlSources: [source] })
    expect(ekNeeds(certificate, [maker.der], anchors)).toEqual([source.address])
    expect(ekNeeds(certificate, [], anchors)).toEqual([])
    expect(ekNeeds(Uint8Array.of(1), [maker.der], anchors)).toEqual([])
    expect(ekNeeds(certificate, [maker.der], anchorsWith({ roots: [anchorFor(root)], pool: [root.der] }))).toEqual([])
  })
})

describe('an endorsement key of RSA', () => {
  const rsa = keyedBy('rsa', 2048)
  it('decrypts', () => {
    expect(verify({ key: rsa }).ek?.key.asymmetricKeyType).toBe('rsa')
    expect(refused({ key: rsa, variation: { extensions: swapped(keyUsage(USE.keyAgreement)) } })).toEqual([
      'TPM-25 tpm-ek-cert-profile-invalid',
    ])
  })
  it('is read where its algorithm is called id-RSAES-OAEP', () => {
    const { spki } = readTpmCertificate(ekCertificate(rsa.publicKey, maker), { what: 'ek', code: 'tpm-ek-cert-profile-invalid' })
    const bits = Buffer.from(spki).subarray(Buffer.from(spki).indexOf(Buffer.from('0500', 'hex')) + 2)
    const oaep = derSequence([derSequence([derOid('1.2.840.113549.1.1.7'), derSequence([])]), bits])
    expect(leafKeyOf(oaep)?.key.equals(rsa.publicKey)).toBe(true)
    expect(leafKeyOf(oaep)?.spki).toEqual(spkiOf(rsa.publicKey))
    expect(leafKeyOf(derSequence([]))).toBeUndefined()
  })
})
