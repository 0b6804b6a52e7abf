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
  keyedBy,
  purposes,
  spkiOf,
  statement,
  swapped,
  tlv,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import { derSequence, type DerExtension } from '../../../asn1/values.ts'
import { derInteger } from '../../../simulator/der.ts'
import { markerExtension } from '../../../simulator/marker.ts'
import type { ListedEks, TpmAnchors } from '../anchors.ts'
import type { TpmRigour } from '../context.ts'
import type { TrustInput } from './input.ts'
import { judgeTrust } from './judge.ts'
import { OWN_EXTENSION, type OwnStatement } from './own-certificate.ts'

const own = authority('Assay')
const root = authority('root')
const ak = ecKeys()
const name = `000b${'ab'.repeat(32)}`
const ek = 'e1'.repeat(32)
const listedBy = 'a7'.repeat(32)
const digest = createHash('sha256').update(spkiOf(ak.publicKey)).digest('hex')
const akPublic = { name, spki: spkiOf(ak.publicKey) }
const enrolment: OwnStatement = { mode: 'production', akName: name, ekSpkiSha256: ek, basis: 'listed', listedBy: null }

const listing = (spki: readonly string[], authorities: readonly string[] = []): ListedEks => ({
  spkiSha256: new Set(spki),
  authorities: new Set(authorities),
})

type Given = {
  readonly says?: Partial<OwnStatement>
  readonly leaf?: Variation
  readonly extension?: DerExtension
  readonly issuer?: typeof own
  readonly certificates?: readonly Uint8Array[]
  readonly tpm?: Partial<TpmAnchors>
  readonly akPublic?: TrustInput['akPublic']
  readonly rigour?: Partial<TpmRigour>
  readonly mode?: 'production' | 'demo' | 'test'
}

const ownCertificate = ({ says, leaf = {}, extension, issuer = own }: Given = {}): Uint8Array =>
  akCertificate(ak.publicKey, issuer, {
    ...leaf,
    extensions: (all) => [...(leaf.extensions ?? ((same) => same))(all), extension ?? statement({ ...enrolment, ...says })],
  })

function judge(given: Given = {}) {
  const { rigour = {}, tpm = {}, mode = 'production' } = given
  return judgeTrust({
    akPublic: 'akPublic' in given ? given.akPublic : akPublic,
    certificates: given.certificates ?? [ownCertificate(given)],
    anchors: anchorsWith({
      own: [{ spki: spkiOf(own.keys.publicKey) }],
      roots: [anchorFor(root)],
      pool: [root.der],
      listed: listing([ek]),
      ...tpm,
    }),
    collateral: NO_COLLATERAL,
    context: contextWith(rigour, { mode }),
  })
}

const otherName = `000b${'cd'.repeat(32)}`
const failures = ({ checks }: ReturnType<typeof judgeTrust>) =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
function refused(given: Given) {
  const judged = judge(given)
  expect(judged.trust).toBeUndefined()
  return failures(judged)
}

const raw = (value: Uint8Array): Given => ({ extension: { oid: OWN_EXTENSION, critical: true, value } })

function edited(bytes: Uint8Array, from: string, to: string): Uint8Array {
  return new Uint8Array(Buffer.from(Buffer.from(bytes).toString('latin1').replace(from, to), 'latin1'))
}

describe('a certificate of Assay’s own', () => {
  it('tells of the TPM in which the key lives', () => {
    const judged = judge()
    expect(failures(judged)).toEqual([])
    expect(judged.trust).toMatchObject({
      model: 'ek-activation',
      binds: 'name',
      name,
      ek: { public_key_sha256: ek, basis: 'listed', listed_by: null },
      certificate: { authority: 'assay', anchor_sha256: own.spkiSha256 },
      gce: null,
      revocation: 'not-configured',
      validUntil: years(5),
    })
    expect(judged.trust?.key.equals(ak.publicKey)).toBe(true)
  })
  it('names the key without a public area, too', () => expect(judge({ akPublic: undefined }).trust).toMatchObject({ name, binds: 'name' }))
  it('is remembered, but not its verdict', () => {
    const context = contextWith()
    const input: TrustInput = {
      akPublic,
      certificates: [ownCertificate()],
      anchors: anchorsWith({ own: [{ spki: spkiOf(own.keys.publicKey) }], listed: listing([ek]) }),
      collateral: NO_COLLATERAL,
      context,
    }
    expect(failures(judgeTrust(input))).toEqual([])
    expect(failures(judgeTrust({ ...input, anchors: { ...input.anchors, tpm: { ...input.anchors.tpm, listed: listing([]) } } }))).toEqual([
      'TPM-31 tpm-ek-not-listed',
    ])
    expect(failures(judgeTrust({ ...input, context: { ...context, now: years(6) } }))).toEqual(['TPM-20 tpm-ak-cert-expired'])
  })
  it.each<readonly [string, Given]>([
    ['by an authority of the EK', { says: { listedBy }, tpm: { listed: listing([], [listedBy]) } }],
    ['itself, though it was enrolled by its authority', { says: { listedBy }, tpm: { listed: listing([ek]) } }],
    ['by nobody, where a caller vouched for it', { says: { basis: 'enroller' }, tpm: { listed: listing([]) } }],
    ['by nobody, where any will do', { says: { basis: 'any' }, tpm: { listed: listing([]) } }],
    ['by the policy, too', { rigour: { eks: [ek] } }],
  ])('counts while its EK is listed %s', (_, given) => expect(failures(judge(given))).toEqual([]))
  it('counts in demo with the mark of the simulator', () => {
    const leaf: Variation = { extensions: (all) => [...all, markerExtension] }
    expect(failures(judge({ leaf, says: { mode: 'demo' }, mode: 'demo' }))).toEqual([])
    expect(refused({ leaf })).toEqual(['TPM-19 tpm-ak-cert-chain-invalid'])
  })

  const good = statement(enrolment).value
  it.each<readonly [string, Given, string]>([
    ['of another authority', { issuer: authority('Assay') }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['of a configured root', { issuer: root }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['where Assay has no authority', { tpm: { own: [] } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['where the authority’s key is none', { tpm: { own: [{ spki: Uint8Array.of(0x30, 0) }] } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    [
      'with an unknown critical extension',
      { leaf: { extensions: (all) => [...all, { oid: '1.2.3', critical: true, value: tlv(5) }] } },
      'TPM-19 tpm-ak-cert-chain-invalid',
    ],
    ['of a weak key', { leaf: { publicKey: ecKeys('secp256k1').publicKey } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['of another mode', { says: { mode: 'demo' } }, 'TPM-18 tpm-ak-untrusted'],
    ['of production, in a test', { mode: 'test' }, 'TPM-18 tpm-ak-untrusted'],
    ['that ended', { leaf: { notAfter: years(-0.1) } }, 'TPM-20 tpm-ak-cert-expired'],
    ['of another key', { leaf: { publicKey: ecKeys().publicKey } }, 'TPM-21 tpm-ak-cert-key-mismatch'],
    ['of the same key under another name', { says: { akName: `000b${'ac'.repeat(32)}` } }, 'TPM-21 tpm-ak-cert-key-mismatch'],
    ['for another use', { leaf: { extensions: swapped(purposes('1.3.6.1.5.5.7.3.1')) } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    [
      'of a basis that the policy does not take',
      { says: { basis: 'any' }, rigour: { bases: ['listed', 'enroller'] } },
      'TPM-31 tpm-ek-not-listed',
    ],
    ['of an EK that is listed no longer', { tpm: { listed: listing(['00'.repeat(32)]) } }, 'TPM-31 tpm-ek-not-listed'],
    [
      'of an authority that is listed no longer',
      { says: { listedBy }, tpm: { listed: listing([], ['00'.repeat(32)]) } },
      'TPM-31 tpm-ek-not-listed',
    ],
    ['of an EK that is not the policy’s', { rigour: { eks: [] } }, 'TPM-31 tpm-ek-not-listed'],
    ['of an EK that is denied', { rigour: { deniedEks: [ek] } }, 'TPM-31 tpm-ak-revoked'],
    [
      'of a key that is denied by name, no public area beside it',
      { akPublic: undefined, rigour: { deniedAks: [name] } },
      'TPM-31 tpm-ak-revoked',
    ],
    ['of a key that is denied by its digest', { rigour: { deniedAks: [`spki:${digest}`] } }, 'TPM-31 tpm-ak-revoked'],
    ['of another version', { extension: statement(enrolment, 2) }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['of an unknown basis', raw(edited(good, 'listed', 'listen')), 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['of an unknown mode', raw(edited(good, 'production', 'productiom')), 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['with a name that is too short', { says: { akName: '000b' } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['with a short digest', { says: { ekSpkiSha256: 'e1' } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['with a short digest of an authority', { says: { listedBy: 'e1' } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['with something behind its statement', raw(Buffer.concat([good, Uint8Array.of(0)])), 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['with a statement that is none', raw(derSequence([derInteger(1)])), 'TPM-19 tpm-ak-cert-chain-invalid'],
  ])('is refused %s', (_, given, failure) => expect(refused(given)).toEqual([failure]))
})

describe('an enrolled key', () => {
  const enrolled = (given: Given = {}): Given => ({ certificates: [], ...given, rigour: { enrolledAks: [name], ...given.rigour } })
  it('is trusted by its name', () => {
    expect(judge(enrolled()).trust).toMatchObject({ model: 'enrolled-ak', binds: 'name', name, certificate: null, validUntil: undefined })
    expect(judge(enrolled()).trust?.key.equals(ak.publicKey)).toBe(true)
  })
  it('is trusted by its digest only where the policy does not mind its attributes', () => {
    const known: Given = enrolled({ rigour: { enrolledAks: [`spki:${digest}`], akWithoutPublicArea: 'allow' } })
    expect(judge(known).trust).toMatchObject({ binds: 'key', name })
    expect(refused({ ...known, rigour: { ...known.rigour, akWithoutPublicArea: 'refuse' } })).toEqual(['TPM-18 tpm-ak-untrusted'])
  })
  it('has a name that denials can be asked about only where that is enrolled', () => {
    const byDigest = { enrolledAks: [`spki:${digest}`], akWithoutPublicArea: 'allow', deniedAks: [otherName] } as const
    expect(refused(enrolled({ rigour: byDigest }))).toEqual(['TPM-31 tpm-ak-revoked'])
    expect(failures(judge(enrolled({ rigour: { deniedAks: [otherName] } })))).toEqual([])
  })
  it('is known by a certificate that need not lead anywhere, where only enrolled keys count', () => {
    const stranger = akCertificate(ak.publicKey, authority('stranger'))
    const rigour: Partial<TpmRigour> = { akTrust: ['enrolled-ak'], enrolledAks: [`spki:${digest}`], akWithoutPublicArea: 'allow' }
    expect(judge({ certificates: [stranger], akPublic: undefined, rigour }).trust).toMatchObject({
      model: 'enrolled-ak',
      binds: 'key',
      name: null,
    })
    expect(judge({ certificates: [stranger], rigour }).trust?.model).toBe('enrolled-ak')
    expect(refused({ certificates: [stranger], rigour: { ...rigour, akTrust: ['enrolled-ak', 'ak-cert'] } })).toEqual([
      'TPM-19 tpm-ak-cert-chain-invalid',
    ])
    const other = akCertificate(ecKeys().publicKey, authority('stranger'))
    expect(refused({ certificates: [other], rigour })).toEqual(['TPM-21 tpm-ak-cert-key-mismatch'])
    expect(refused({ certificates: [Uint8Array.of(1)], rigour })).toEqual(['TPM-19 tpm-ak-cert-chain-invalid'])
    const weak = akCertificate(ecKeys('secp256k1').publicKey, authority('stranger'))
    expect(refused({ certificates: [weak], rigour })).toEqual(['TPM-18 tpm-ak-untrusted'])
  })
  it.each<readonly [string, Given, string]>([
    ['nobody is enrolled', enrolled({ rigour: { enrolledAks: [] } }), 'TPM-18 tpm-ak-untrusted'],
    ['another is', enrolled({ rigour: { enrolledAks: [otherName] } }), 'TPM-31 tpm-ak-not-enrolled'],
    ['it came with nothing', enrolled({ akPublic: undefined }), 'TPM-18 tpm-ak-untrusted'],
    ['its digest is enrolled as a name', enrolled({ rigour: { enrolledAks: [digest] } }), 'TPM-31 tpm-ak-not-enrolled'],
    ['it is denied', enrolled({ rigour: { deniedAks: [name] } }), 'TPM-31 tpm-ak-revoked'],
    [
      'the key of its public area is weak',
      enrolled({ akPublic: { name, spki: spkiOf(ecKeys('secp256k1').publicKey) } }),
      'TPM-18 tpm-ak-untrusted',
    ],
  ])('is refused where %s', (_, given, failure) => expect(refused(given)).toEqual([failure]))
  it('is read once, and every policy is asked anew', () => {
    const context = contextWith({ enrolledAks: [name, otherName] })
    const input: TrustInput = { akPublic, certificates: [], anchors: anchorsWith({}), collateral: NO_COLLATERAL, context }
    const [first, second] = [judgeTrust(input), judgeTrust(input)]
    expect(second.trust?.key).toBe(first.trust?.key)
    const other = ecKeys().publicKey
    const another = judgeTrust({ ...input, akPublic: { name: otherName, spki: spkiOf(other) } })
    expect(another.trust?.key.equals(other)).toBe(true)
    const nobody = { ...context, rigour: contextWith({ enrolledAks: [otherName] }).rigour }
    expect(failures(judgeTrust({ ...input, context: nobody }))).toEqual(['TPM-31 tpm-ak-not-enrolled'])
  })
  it('is not what a certificate that fails falls back to', () => {
    const certificates = [akCertificate(ak.publicKey, authority('stranger'))]
    expect(refused(enrolled({ certificates }))).toEqual(['TPM-19 tpm-ak-cert-chain-invalid'])
    expect(refused(enrolled({ certificates: [ownCertificate({ says: { mode: 'demo' } })] }))).toEqual(['TPM-18 tpm-ak-untrusted'])
  })
})

describe('models', () => {
  const certified = akCertificate(ak.publicKey, root)
  it.each<readonly [string, Given]>([
    ['a certificate of a cloud, where only activation counts', { certificates: [certified], rigour: { akTrust: ['ek-activation'] } }],
    ['Assay’s own certificate, where only certificates of others count', { rigour: { akTrust: ['ak-cert'] } }],
    ['nothing, where certificates count', { certificates: [], rigour: { akTrust: ['ak-cert', 'ek-activation'] } }],
    ['anything, where no model counts', { rigour: { akTrust: [] } }],
  ])('do not hold for %s', (_, given) => expect(refused(given)).toEqual(['TPM-18 tpm-ak-untrusted']))
  it('are told by what came with the evidence', () => {
    expect(judge({ certificates: [certified] }).trust?.model).toBe('ak-cert')
    expect(judge().trust?.model).toBe('ek-activation')
    expect(judge({ certificates: [], rigour: { enrolledAks: [name] } }).trust?.model).toBe('enrolled-ak')
  })
  it('take certificates as PEM, too', () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(certified)
      .toString('base64')
      .replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
    expect(judge({ certificates: [Buffer.from(pem)] }).trust?.model).toBe('ak-cert')
  })
  it('hold for keys of RSA, and for certificates that RSA signed', () => {
    const rsa = keyedBy('rsa', 2048)
    const above = authority('rsa', undefined, { keys: rsa, scheme: 'pkcs1-sha384' })
    const psssed = authority('pss', { name: above.name, keys: rsa }, { scheme: 'pss-sha384' })
    const leaf = akCertificate(rsa.publicKey, psssed)
    const identity = { name, spki: spkiOf(rsa.publicKey) }
    const tpm = { roots: [anchorFor(above)], pool: [above.der] }
    expect(judge({ certificates: [leaf, psssed.der], akPublic: identity, tpm }).trust?.model).toBe('ak-cert')
    const salted = authority('pss', { name: above.name, keys: rsa }, { scheme: 'pss-sha384-salt20' })
    expect(refused({ certificates: [akCertificate(rsa.publicKey, salted), salted.der], akPublic: identity, tpm })).toEqual([
      'TPM-19 tpm-ak-cert-chain-invalid',
    ])
    const forged = authority('pss', { name: above.name, keys: keyedBy('rsa', 2048) }, { scheme: 'pss-sha384' })
    expect(refused({ certificates: [akCertificate(rsa.publicKey, forged), forged.der], akPublic: identity, tpm })).toEqual([
      'TPM-19 tpm-ak-cert-chain-invalid',
    ])
  })
  it('do not hold for weak keys of RSA', () => {
    const leaf = akCertificate(keyedBy('rsa', 1024).publicKey, root)
    expect(refused({ certificates: [leaf] })).toEqual(['TPM-19 tpm-ak-cert-chain-invalid'])
    const odd = akCertificate(keyedBy('rsa', 2048, 3).publicKey, root)
    expect(refused({ certificates: [odd] })).toEqual(['TPM-19 tpm-ak-cert-chain-invalid'])
  })
})
