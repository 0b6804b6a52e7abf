import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorsPresent } from '../../../../test/vectors.ts'
import {
  NO_COLLATERAL,
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  ecKeys,
  purposes,
  swapped,
  tlv,
  without,
} from '../../../../test/tpm-trust-lab.ts'
import { derSequence, derUtf8String } from '../../../asn1/values.ts'
import { derBoolean, derInteger, extension } from '../../../simulator/der.ts'
import { AttestationError } from '../../problems.ts'
import { GCE_IDENTITY, readGceIdentity } from './gce-identity.ts'
import { judgeTrust } from './judge.ts'

type Parts = {
  readonly zone?: Uint8Array
  readonly number?: bigint
  readonly instance?: bigint
  readonly security?: readonly Uint8Array[] | 'absent'
  readonly behind?: readonly Uint8Array[]
}

const VERSION = tlv(0xa0, derInteger(1))
const PRODUCTION = tlv(0xa1, derBoolean(true))

function value({
  zone = derUtf8String('us-central1-a'),
  number = 7n,
  instance = 9n,
  security = [VERSION, PRODUCTION],
  behind = [],
}: Parts = {}) {
  const properties = security === 'absent' ? [] : [tlv(0xa0, derSequence(security))]
  return derSequence([
    zone,
    derInteger(number),
    derUtf8String('project'),
    derInteger(instance),
    derUtf8String('instance'),
    ...properties,
    ...behind,
  ])
}

const read = (bytes: Uint8Array) =>
  readGceIdentity({ extensions: [{ oid: GCE_IDENTITY, encodedOid: Uint8Array.of(), critical: false, value: bytes }] })

describe('the identity of an instance', () => {
  it('is read with numbers of 64 bits', () => {
    expect(read(value({ number: 2n ** 63n, instance: 2n ** 64n - 1n }))).toEqual({
      claims: {
        zone: 'us-central1-a',
        project_number: '9223372036854775808',
        project_id: 'project',
        instance_id: '18446744073709551615',
        instance_name: 'instance',
        security_version: '1',
      },
      production: 'yes',
    })
  })
  it('is no one’s without the extension', () => expect(readGceIdentity({ extensions: [] })).toBeUndefined())
  it.each<readonly [string, Parts]>([
    ['says FALSE', { security: [VERSION, tlv(0xa1, derBoolean(false))] }],
    ['does not say', { security: [VERSION] }],
    ['has no properties', { security: 'absent' }],
  ])('is not in production where it %s', (_, parts) => expect(read(value(parts))?.production).toBe('no'))
  it('may say more of its security than is known here', () => {
    expect(read(value({ security: [VERSION, PRODUCTION, tlv(0xa2, derBoolean(true)), tlv(0xa9, derBoolean(false))] }))?.production).toBe(
      'yes',
    )
  })
  it.each<readonly [string, Uint8Array]>([
    ['a negative number', value({ number: -1n })],
    ['a negative instance', value({ instance: -1n })],
    ['a number of 65 bits', value({ instance: 2n ** 64n })],
    ['a byte behind it', Buffer.concat([value(), Uint8Array.of(0)])],
    ['an element behind its properties', value({ behind: [derInteger(1)] })],
    ['text that is not UTF8String', value({ zone: tlv(0x13, Buffer.from('zone')) })],
    ['text with a line break', value({ zone: derUtf8String('a\nb') })],
    ['no text', value({ zone: derUtf8String('') })],
    ['another boolean', value({ security: [tlv(0xa1, tlv(1, Uint8Array.of(1)))] })],
    ['a boolean of two bytes', value({ security: [tlv(0xa1, tlv(1, Uint8Array.of(0xff, 0xff)))] })],
    ['nothing', Uint8Array.of()],
  ])('is malformed with %s', (_, bytes) => {
    expect(() => read(bytes)).toThrow(expect.objectContaining({ code: 'tpm-gce-identity-invalid' }))
    expect(() => read(bytes)).toThrow(AttestationError)
  })
})

describe('a certificate with the identity of an instance', () => {
  const root = authority('root')
  const ak = ecKeys()
  const judge = (bytes: Uint8Array | undefined, whose: string, purpose = '2.23.133.8.1') => {
    const identity = bytes === undefined ? [] : [extension(GCE_IDENTITY, bytes)]
    const leaf = akCertificate(ak.publicKey, root, {
      subject: [],
      extensions: (all) => [...(purpose === 'none' ? without('2.5.29.37')(all) : swapped(purposes(purpose))(all)), ...identity],
    })
    return judgeTrust({
      akPublic: undefined,
      certificates: [leaf],
      anchors: anchorsWith({ roots: [anchorFor(root, { authority: whose })], pool: [root.der] }),
      collateral: NO_COLLATERAL,
      context: contextWith(),
    })
  }
  const failures = (judged: ReturnType<typeof judge>) => judged.checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))

  it('tells it under Google', () => {
    expect(judge(value(), 'google').trust?.gce).toMatchObject({ zone: 'us-central1-a', instance_id: '9' })
    expect(judge(value(), 'google', '2.23.133.8.3').trust?.gce).toMatchObject({ project_id: 'project' })
    expect(judge(undefined, 'google').trust).toMatchObject({ gce: null })
  })
  it('must have a purpose under Google, too', () =>
    expect(failures(judge(value(), 'google', 'none'))).toEqual(['tpm-ak-cert-usage-invalid']))
  it.each([
    ['under another authority', () => judge(value(), 'lab', '2.23.133.8.3'), 'tpm-gce-identity-invalid'],
    ['that is malformed', () => judge(value({ number: -1n }), 'google'), 'tpm-gce-identity-invalid'],
    ['outside production', () => judge(value({ security: [VERSION] }), 'google'), 'tpm-gce-not-production'],
    [
      'outside production, under another authority',
      () => judge(value({ security: [VERSION] }), 'lab', '2.23.133.8.3'),
      'tpm-gce-identity-invalid',
    ],
  ])('is refused %s', (_, judged, code) => {
    expect(failures(judged())).toEqual([code])
    expect(judged().trust).toBeUndefined()
  })
  it('is not Google’s for its purpose alone', () => expect(failures(judge(undefined, 'Google'))).toEqual(['tpm-ak-cert-usage-invalid']))
})

const file = (name: string) => vectorBytes(`tpm/gce-cos-85-nonce9009/${name}`)
const failuresOf = (judged: ReturnType<typeof judgeTrust>) => judged.checks.filter(({ outcome }) => outcome === 'fail')

describe.skipIf(!vectorsPresent())('a genuine certificate of Google', () => {
  it('tells zone, project and instance', () => {
    const pool = [
      'ca-gcp_ek_ak_ca_intermediate_v3.crt',
      'ca-gcp_ek_ak_ca_root.crt',
      'ca-tpm_ek_intermediate_2.crt',
      'ca-tpm_ek_intermediate_3.crt',
      'ca-tpm_ek_root_1.cer',
    ]
    const anchors = anchorsWith({ roots: [], pool: pool.map(file) })
    const roots = [
      '9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf',
      '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2',
    ]
    const judged = judgeTrust({
      akPublic: undefined,
      certificates: [file('ak.cert.der')],
      anchors: {
        ...anchors,
        tpm: { ...anchors.tpm, roots: roots.map((sha256) => anchorFor({ sha256 }, { authority: 'google', origin: 'pinned' })) },
      },
      collateral: NO_COLLATERAL,
      context: contextWith(),
    })
    expect(failuresOf(judged)).toEqual([])
    expect(judged.trust?.gce).toMatchObject({
      zone: 'us-central1-a',
      project_id: 'google.com:wuale-gcp-testing',
      instance_name: 'cos-test',
    })
    expect(judged.trust?.certificate).toMatchObject({ authority: 'google', anchor_sha256: roots[0] })
  })
})
