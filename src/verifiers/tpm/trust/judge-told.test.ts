import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  NO_COLLATERAL,
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  ecKeys,
  spkiOf,
  statement,
  tlv,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import { derSequence, type DerExtension } from '../../../asn1/values.ts'
import { derInteger } from '../../../simulator/der.ts'
import { markerExtension } from '../../../simulator/marker.ts'
import type { TpmAnchors } from '../anchors.ts'
import type { TpmRigour } from '../context.ts'
import type { TrustInput } from './input.ts'
import { judgeTrust } from './judge.ts'
import { OWN_EXTENSION, type OwnStatement } from './own-certificate.ts'

const own = authority('Assay')
const root = authority('root')
const ak = ecKeys()
const name = `000b${'ab'.repeat(32)}`
const otherName = `000b${'cd'.repeat(32)}`
const ek = 'e1'.repeat(32)
const listedBy = 'a7'.repeat(32)
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const akPublic = { name, spki: spkiOf(ak.publicKey) }
const KEY = digestOf(akPublic.spki)
const enrolment: OwnStatement = { mode: 'production', akName: name, ekSpkiSha256: ek, basis: 'listed', listedBy: null }

type Given = {
  readonly says?: Partial<OwnStatement>
  readonly leaf?: Variation
  readonly extension?: DerExtension
  readonly issuer?: typeof own
  readonly certificates?: readonly Uint8Array[]
  readonly tpm?: Partial<TpmAnchors>
  readonly akPublic?: TrustInput['akPublic']
  readonly rigour?: Partial<TpmRigour>
}

const ownCertificate = ({ says, leaf = {}, extension, issuer = own }: Given): Uint8Array =>
  akCertificate(ak.publicKey, issuer, {
    ...leaf,
    extensions: (all) => [...(leaf.extensions ?? ((same) => same))(all), extension ?? statement({ ...enrolment, ...says })],
  })

/** `id outcome actual` of every check. */
function told(given: Given = {}): readonly string[] {
  const { checks } = judgeTrust({
    akPublic: 'akPublic' in given ? given.akPublic : akPublic,
    certificates: given.certificates ?? [ownCertificate(given)],
    anchors: anchorsWith({
      own: [{ spki: spkiOf(own.keys.publicKey) }],
      roots: [anchorFor(root)],
      pool: [root.der],
      listed: { spkiSha256: new Set([ek]), authorities: new Set() },
      ...given.tpm,
    }),
    collateral: NO_COLLATERAL,
    context: contextWith(given.rigour),
  })
  return checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
}
const failures = (given: Given): readonly string[] => told(given).filter((line) => line.includes(' fail '))

const raw = (value: Uint8Array): Given => ({ extension: { oid: OWN_EXTENSION, critical: true, value } })
const good = statement(enrolment).value
const edited = (from: string, to: string): Given =>
  raw(new Uint8Array(Buffer.from(Buffer.from(good).toString('latin1').replace(from, to), 'latin1')))

describe('a certificate of Assay’s own', () => {
  it('says what was looked at', () => {
    expect(told()).toEqual([
      'TPM-19 pass signed by Assay’s own authority',
      'TPM-18 pass ek-activation in mode production',
      `TPM-20 pass CN=ak from ${years(-1).toISOString()} to ${years(5).toISOString()}; now 2026-11-01T12:00:00.000Z`,
      `TPM-21 pass certificate ${KEY}, public area ${KEY}`,
      `TPM-21 pass ${name}`,
      'TPM-22 pass a certificate for an attestation key',
      'TPM-23 skip Assay’s own certificates are short-lived; the lists below are asked instead',
      `TPM-31 pass EK ${ek}, listed`,
      'TPM-31 pass the attestation key is on none',
    ])
  })

  it.each<[line: string, given: () => Given]>([
    ['TPM-19 fail not signed by Assay’s own authority', () => ({ issuer: authority('Assay') })],
    ['TPM-19 fail not signed by Assay’s own authority', () => ({ tpm: { own: [{ spki: Uint8Array.of(0x30, 0) }] } })],
    [
      'TPM-19 fail the certificate has extension 1.2.3, which is not understood',
      () => ({ leaf: { extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: tlv(5) }] } }),
    ],
    ['TPM-19 fail the certificate is one of the simulator', () => ({ leaf: { extensions: (all) => [...all, markerExtension] } })],
    ['TPM-19 fail the certificate has a key that is weak, or none', () => ({ leaf: { publicKey: ecKeys('secp256k1').publicKey } })],
    ['TPM-18 fail a certificate of mode demo', () => ({ says: { mode: 'demo' } })],
    [`TPM-21 fail ${name}`, () => ({ says: { akName: otherName } })],
    [
      `TPM-31 fail EK ${ek}, any; the policy takes listed, enroller`,
      () => ({ says: { basis: 'any' }, rigour: { bases: ['listed', 'enroller'] } }),
    ],
    [`TPM-31 fail EK ${ek}, listed; not an EK of the policy`, () => ({ rigour: { eks: [] } })],
    [`TPM-31 fail EK ${ek}, listed; not listed any more`, () => ({ tpm: { listed: { spkiSha256: new Set(), authorities: new Set() } } })],
    [
      `TPM-31 fail EK ${ek}, listed; not listed any more`,
      () => ({ says: { listedBy }, tpm: { listed: { spkiSha256: new Set(), authorities: new Set([ek]) } } }),
    ],
    [`TPM-31 fail endorsement key ${ek}`, () => ({ rigour: { deniedEks: [ek] } })],
  ])('is refused: %s', (line, given) => expect(failures(given())).toEqual([line]))

  it.each<[why: string, given: () => Given]>([
    ['version @3: is not 1', () => ({ extension: statement(enrolment, 2) })],
    ['basis @\\d+: is none that is known', () => edited('listed', 'listen')],
    ['mode @15: is none that is known', () => edited('production', 'productiom')],
    ['akName @\\d+: is not the name of a key', () => ({ says: { akName: '000b' } })],
    ['ekSpkiSha256 @\\d+: is not a digest of SHA-256', () => ({ says: { ekSpkiSha256: 'e1' } })],
    ['listedBy @\\d+: is not a digest of SHA-256', () => ({ says: { listedBy: 'e1' } })],
    ['mode @3: is not of type 0ch', () => raw(derSequence([derInteger(1)]))],
    ['version @0: is not of type 02h', () => raw(derSequence([]))],
  ])('is refused for a statement whose %s', (why, given) => {
    const [line] = failures(given())
    expect(line).toMatch(new RegExp(`^TPM-19 fail assay-certificate\\.Statement\\.${why}$`))
  })

  it.each([`000b${'ab'.repeat(32)}`, `000c${'ab'.repeat(48)}`, `000d${'ab'.repeat(64)}`])('may name a key of any hash: %s', (akName) => {
    expect(failures({ says: { akName }, akPublic: { ...akPublic, name: akName } })).toEqual([])
  })
})

describe('an enrolled key', () => {
  const enrolled = (given: Given = {}): Given => ({ certificates: [], ...given, rigour: { enrolledAks: [name], ...given.rigour } })
  const byDigest = { enrolledAks: [`spki:${KEY}`], akWithoutPublicArea: 'allow' } as const

  it('says what was looked at', () => {
    expect(told(enrolled())).toEqual(['TPM-18 pass enrolled-ak', `TPM-31 pass ${name}`, 'TPM-31 pass the attestation key is on none'])
    expect(told(enrolled({ rigour: byDigest }))[1]).toBe(`TPM-31 pass spki:${KEY}`)
  })

  it.each<[line: string, given: () => Given]>([
    [
      'TPM-18 fail no certificate that the policy accepts came with the evidence, and the policy enrols no key',
      () => enrolled({ rigour: { enrolledAks: [] } }),
    ],
    [`TPM-31 fail ${name}, spki:${KEY}`, () => enrolled({ rigour: { enrolledAks: [otherName] } })],
    ['TPM-18 fail neither a public area nor a certificate tells of a key that could be trusted', () => enrolled({ akPublic: undefined })],
    [`TPM-18 fail spki:${KEY}`, () => enrolled({ rigour: { ...byDigest, akWithoutPublicArea: 'refuse' } })],
    [
      'TPM-18 fail the certificate has a key that is weak, or none',
      () => enrolled({ certificates: [akCertificate(ecKeys('secp256k1').publicKey, root)], rigour: { akTrust: ['enrolled-ak'] } }),
    ],
    [
      'TPM-19 fail ak_certificates[0] is neither DER nor one PEM block',
      () => enrolled({ certificates: [Uint8Array.of(1)], rigour: { akTrust: ['enrolled-ak'] } }),
    ],
  ])('is refused: %s', (line, given) => expect(failures(given())).toEqual([line]))
})
