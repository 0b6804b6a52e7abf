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
  listOf,
  named,
  purposes,
  specification,
  swapped,
  tlv,
  tpmAttributes,
  without,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import type { DerExtension } from '../../../asn1/values.ts'
import { authorityKeyIdentifier, basicConstraints, extension, keyUsage } from '../../../simulator/der.ts'
import type { TpmAnchor } from '../anchors.ts'
import { tpmCrlAddress } from './address.ts'
import { verifyEk, type EkRigour } from './ek-certificate.ts'

const root = authority('STM root')
const maker = authority('STM maker', root)
const tpm = ecKeys('P-384')
const STRICT: EkRigour = { skewSeconds: 0, softwareTpm: 'refuse', expiredCertificate: 'refuse', revocation: 'require', crlGraceSeconds: 0 }
const source = { issuerSpkiSha256: maker.spkiSha256, address: tpmCrlAddress(maker.spkiSha256) }

type Given = {
  readonly variation?: Variation
  readonly certificate?: Uint8Array
  readonly roots?: readonly TpmAnchor[]
  readonly rigour?: Partial<EkRigour>
  readonly now?: Date
  readonly key?: typeof tpm
  readonly lists?: readonly Uint8Array[]
}

const STANDARD = { variation: {}, key: tpm, rigour: {}, now: NOW, roots: [anchorFor(root, { authority: 'st' })] } as const

/** `id outcome actual` of every check. */
function told(given: Given = {}): readonly string[] {
  const { variation, key, rigour, now, roots } = { ...STANDARD, ...given }
  const { lists, certificate = ekCertificate(key.publicKey, maker, variation) } = given
  const { checks } = verifyEk({
    certificate,
    chain: [maker.der],
    anchors: anchorsWith({ roots, pool: [root.der], crlSources: lists === undefined ? [] : [source] }),
    collateral: { ...NO_COLLATERAL, documents: new Map((lists ?? []).map((bytes) => [source.address, bytes])) },
    now,
    mode: 'production',
    memo: contextWith().memo.tpm,
    rigour: { ...STRICT, ...rigour },
  })
  return checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
}
const failures = (given: Given): readonly string[] => told(given).filter((line) => line.includes(' fail '))
const san = (value: Uint8Array, critical = true): DerExtension => ({ oid: '2.5.29.17', critical, value })
const add =
  (...more: readonly DerExtension[]) =>
  (all: readonly DerExtension[]) => [...all, ...more]
const withNames = (...names: Parameters<typeof directoryNames>[0]): Variation => ({ extensions: swapped(san(directoryNames(names))) })
const LIST = 'number 7, thisUpdate 2026-11-01T11:00:00.000Z, nextUpdate 2026-11-02T12:00:00.000Z'

describe('a genuine endorsement certificate says what was looked at', () => {
  const lines = [
    'TPM-25 pass 53544d20 ST33 id:00010101',
    `TPM-26 pass 3 certificates to ${root.sha256} (st)`,
    'TPM-26 pass now 2026-11-01T12:00:00.000Z',
  ]

  it('where no list is configured', () => {
    expect(told()).toEqual([
      ...lines,
      'TPM-26 skip no list is configured for the authorities of this chain',
      'TPM-30 pass 53544d20 under st',
      'TPM-30 pass 53544d20',
    ])
  })

  it('where one is at hand', () => expect(told({ lists: [listOf(maker)] })[3]).toBe(`TPM-26 pass ${LIST}`))

  it('where one is not, and the policy prefers one', () => {
    expect(told({ lists: [], rigour: { revocation: 'prefer' } })[3]).toBe('TPM-26 warn the list of CN=STM maker is not at hand')
  })
})

describe('an endorsement certificate that does not follow the profile says why', () => {
  it.each<[why: string, given: () => Given]>([
    ['has no positive serial number', () => ({ variation: { serial: 0n } })],
    ['has no critical basicConstraints', () => ({ variation: { extensions: without('2.5.29.19') } })],
    ['is an authority', () => ({ variation: { extensions: swapped(basicConstraints('ca')) } })],
    ['is an authority', () => ({ variation: { extensions: swapped(basicConstraints('end-entity', 0)) } })],
    ['has no critical keyUsage', () => ({ variation: { extensions: swapped({ ...keyUsage(USE.keyAgreement), critical: false }) } })],
    ['is not for a key that decrypts (RSA) or agrees (EC)', () => ({ variation: { extensions: swapped(keyUsage(USE.keyEncipherment)) } })],
    ['may sign certificates or lists', () => ({ variation: { extensions: swapped(keyUsage(USE.keyAgreement | USE.keyCertSign)) } })],
    ['may sign certificates or lists', () => ({ variation: { extensions: swapped(keyUsage(USE.keyAgreement | USE.crlSign)) } })],
    ['does not identify the key of its issuer', () => ({ variation: { extensions: without('2.5.29.35') } })],
    [
      'does not identify the key of its issuer',
      () => ({ variation: { extensions: swapped(extension('2.5.29.35', Uint8Array.of(0x30, 0))) } }),
    ],
    ['calls critical what never is', () => ({ variation: { extensions: swapped({ ...purposes('2.23.133.8.1'), critical: true }) } })],
    [
      'has extension 2.5.29.35, which is not understood',
      () => ({ variation: { extensions: swapped({ ...authorityKeyIdentifier(Buffer.alloc(20)), critical: true }) } }),
    ],
    [
      'has no subject, and a subjectAltName that is not critical',
      () => ({ variation: { extensions: swapped(san(directoryNames([tpmAttributes()]), false)) } }),
    ],
    ['has not exactly one directory name in its subjectAltName', () => ({ variation: withNames(tpmAttributes(), tpmAttributes()) })],
    [
      'has not exactly one directory name in its subjectAltName',
      () => ({ variation: { subject: named('tpm'), extensions: without('2.5.29.17') } }),
    ],
    ['is not for endorsement keys', () => ({ variation: { extensions: swapped(purposes('2.23.133.8.3')) } })],
    [
      'does not name manufacturer, model and version of the TPM once each',
      () => ({ variation: withNames([...tpmAttributes(), ...tpmAttributes()]) }),
    ],
    ...[0, 1, 2].map(
      (at) =>
        [
          'does not name manufacturer, model and version of the TPM once each',
          () => ({ variation: withNames(tpmAttributes().toSpliced(at, 1)) }),
        ] as [string, () => Given],
    ),
    ['names a manufacturer that is no vendor id', () => ({ variation: withNames(tpmAttributes('id:STM')) })],
    ['names a manufacturer that is no vendor id', () => ({ variation: withNames(tpmAttributes('xid:53544D20')) })],
    [
      'has extension 1.2.3, which is not understood',
      () => ({ variation: { extensions: add({ oid: '1.2.3', critical: true, value: tlv(5) }) } }),
    ],
    ['is of a TPM of another family than 2.0', () => ({ variation: { extensions: add(specification('1.2')) } })],
    [
      'cannot be read: subjectDirectoryAttributes.Attributes @0: is not of type 30h',
      () => ({ variation: { extensions: add(extension('2.5.29.9', tlv(5))) } }),
    ],
    ['cannot be read: certificate.GeneralNames @0: is not of type 30h', () => ({ variation: { extensions: swapped(san(tlv(5))) } })],
  ])('%s', (why, given) => expect(told(given())).toEqual([`TPM-25 fail the certificate ${why}`]))

  it('of a key that is weak', () => expect(told({ key: ecKeys('secp256k1') })).toEqual(['TPM-25 fail the key is weak, or none']))

  it('of bytes that are none', () => {
    expect(told({ certificate: Uint8Array.of() })).toEqual(['TPM-25 fail ek_certificate is neither DER nor one PEM block'])
  })
})

const program: Variation = withNames(tpmAttributes('id:00001014'))

describe('an endorsement certificate that is refused says why', () => {
  it.each<[line: string, given: () => Given]>([
    ['TPM-26 fail no certificate of CN=STM root is at hand or configured', () => ({ roots: [] })],
    [
      `TPM-26 fail serial 1001 from ${years(-1).toISOString()} to ${years(-0.1).toISOString()}; now ${NOW.toISOString()}`,
      () => ({ variation: { notAfter: years(-0.1) } }),
    ],
    [`TPM-26 fail serial 1001, is on ${LIST}`, () => ({ lists: [listOf(maker, { revoked: [0x1001n] })] })],
    [
      `TPM-26 fail CN=tpm, serial 1001, is on ${LIST}`,
      () => ({ variation: { subject: named('tpm') }, lists: [listOf(maker, { revoked: [0x1001n] })] }),
    ],
    ['TPM-26 fail the list of CN=STM maker is not at hand', () => ({ lists: [] })],
    ['TPM-26 fail the list is issued by CN=STM root', () => ({ lists: [listOf(root)] })],
    [
      'TPM-26 fail the list has extension 1.2.3, which is not understood',
      () => ({ lists: [listOf(maker, { extensions: [{ oid: '1.2.3', critical: true, value: tlv(5) }] })] }),
    ],
    [
      'TPM-26 fail the list has ended: number 7, thisUpdate 2026-11-01T11:00:00.000Z, nextUpdate 2026-11-01T12:00:00.000Z',
      () => ({ lists: [listOf(maker, { nextUpdate: NOW })] }),
    ],
    [
      'TPM-26 fail the list is not valid yet: number 7, thisUpdate 2026-11-01T12:00:01.000Z, nextUpdate 2026-11-02T12:00:00.000Z',
      () => ({ lists: [listOf(maker, { thisUpdate: new Date(NOW.getTime() + 1000) })] }),
    ],
    ['TPM-30 fail 53544d20 under lab', () => ({ roots: [anchorFor(root, { manufacturers: [] })] })],
    ['TPM-30 fail 00001014', () => ({ variation: program, roots: [anchorFor(root, { manufacturers: null })] })],
  ])('%s', (line, given) => expect(failures(given())).toEqual([line]))
})
