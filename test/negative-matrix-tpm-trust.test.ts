import { X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { derSequence, derUtf8String } from '../src/asn1/values.ts'
import { basicConstraints, derBoolean, derInteger, extension } from '../src/simulator/der.ts'
import { ENDORSEMENT, qualifiedName } from '../src/simulator/tpm-bytes.ts'
import type { TpmAnchor } from '../src/verifiers/tpm/anchors.ts'
import { GCE_IDENTITY } from '../src/verifiers/tpm/trust/gce-identity.ts'
import { tpmCrlAddress } from '../src/verifiers/tpm/trust/address.ts'
import { pinnedTpmAnchors } from '../src/verifiers/tpm/trust/pins.ts'
import { certificatesIn, tpmCase } from './tpm-cases.ts'
import { failedCodes, judgeTpm, type TpmExhibit } from './tpm-judged.ts'
import { akNameOf, TEST_AKS, testEvidence } from './tpm-quotes.ts'
import {
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  listOf,
  NOW,
  purposes,
  swapped,
  tlv,
  years,
  type Authority,
  type Variation,
} from './tpm-trust-lab.ts'
import { vectorBytes, vectorsPresent } from './vectors.ts'

// Specification tpm.md section 17, the rows about certificates of attestation keys. Quotes are genuine.

const root = authority('root')
const issuer = authority('issuer', root)
const { publicKey } = TEST_AKS.p256

/** A quote of a primary object of the endorsement hierarchy, as keys of Google’s instances are. */
const genuine = testEvidence([
  { attest: { qualifiedSigner: qualifiedName('sha256', ENDORSEMENT, new Uint8Array(Buffer.from(akNameOf(testEvidence()), 'hex'))) } },
])

type Certified = {
  readonly leaf?: Variation
  /** Who signed the certificate. */
  readonly by?: Authority
  readonly roots?: readonly TpmAnchor[]
  readonly at?: Date
  readonly lists?: readonly Uint8Array[]
}

/** Evidence of a key that an authority certified, under a policy that takes certificates. */
function certified({ leaf = {}, by = issuer, roots = [anchorFor(root)], at = NOW, lists }: Certified = {}): TpmExhibit {
  const source = { issuerSpkiSha256: by.spkiSha256, address: tpmCrlAddress(by.spkiSha256) }
  return {
    evidence: { ...genuine, akCertificates: [akCertificate(publicKey, by, leaf), by.der] },
    policy: { ak_trust: ['ak-cert'], crl: { mode: 'require' } },
    anchors: anchorsWith({ roots, pool: [root.der], crlSources: lists === undefined ? [] : [source] }),
    documents: new Map((lists ?? []).map((list) => [source.address, list])),
    at,
  }
}

type Identity = { readonly number?: bigint; readonly production?: boolean; readonly behind?: Uint8Array }

/** Google’s statement about an instance. */
function identity({ number = 7n, production = true, behind = new Uint8Array() }: Identity = {}): Variation {
  const security = tlv(0xa0, derSequence([tlv(0xa0, derInteger(1)), tlv(0xa1, derBoolean(production))]))
  const names = [derUtf8String('us-central1-a'), derInteger(number), derUtf8String('project'), derInteger(9n), derUtf8String('instance')]
  const value = new Uint8Array(Buffer.concat([derSequence([...names, security]), behind]))
  return { extensions: (all) => [...all, extension(GCE_IDENTITY, value)] }
}

const google = [anchorFor(root, { authority: 'google' })]
const impostor = authority('root')
const endedRoot = authority('root', undefined, { notAfter: years(-0.5) })
const noAuthority = authority('issuer', root, { extensions: swapped(basicConstraints('end-entity')) })

type Row = readonly [change: string, code: string, make: () => TpmExhibit]
const ROWS: readonly Row[] = [
  ['36: the certificate of another key', 'tpm-ak-cert-key-mismatch', () => certified({ leaf: { publicKey: TEST_AKS.p384.publicKey } })],
  ['37: under another root of the same name', 'tpm-ak-cert-chain-invalid', () => certified({ by: authority('issuer', impostor) })],
  ['37: by another root of the same name', 'tpm-ak-cert-chain-invalid', () => certified({ by: impostor })],
  ['38: by what is no authority', 'tpm-ak-cert-chain-invalid', () => certified({ by: noAuthority })],
  ['39: under a root that ended', 'tpm-ak-cert-expired', () => certified({ by: endedRoot, roots: [anchorFor(endedRoot)] })],
  ['39: after its end', 'tpm-ak-cert-expired', () => certified({ at: years(5.01) })],
  ['39: after the end of its issuer', 'tpm-ak-cert-expired', () => certified({ by: authority('issuer', root, { notAfter: years(-0.5) }) })],
  [
    '40: for web servers only',
    'tpm-ak-cert-usage-invalid',
    () => certified({ leaf: { extensions: swapped(purposes('1.3.6.1.5.5.7.3.1')) } }),
  ],
  ['41: on the list of its issuer', 'tpm-ak-cert-revoked', () => certified({ lists: [listOf(issuer, { revoked: [0x1001n] })] })],
  ['42: not in production', 'tpm-gce-not-production', () => certified({ leaf: identity({ production: false }), roots: google })],
  ['43: an instance under a root of our own', 'tpm-gce-identity-invalid', () => certified({ leaf: identity() })],
  ['44: a negative number', 'tpm-gce-identity-invalid', () => certified({ leaf: identity({ number: -1n }), roots: google })],
  [
    '44: a byte behind the statement',
    'tpm-gce-identity-invalid',
    () => certified({ leaf: identity({ behind: Uint8Array.of(0) }), roots: google }),
  ],
]

describe('negative matrix of TPM: certificates of keys', () => {
  it.each(ROWS)('%s → %s', async (_, code, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, answer.claims]).toEqual([code, undefined])
  })

  it.each<[string, () => TpmExhibit]>([
    ['as it is', () => certified()],
    ['on no list of its issuer', () => certified({ lists: [listOf(issuer, { revoked: [0x1002n] })] })],
    ['of an instance, under Google', () => certified({ leaf: identity(), roots: google })],
  ])('but a certificate %s is accepted', async (_, make) => {
    const answer = await judgeTpm(make())
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
    expect(answer.claims?.ak_trust).toBe('ak-cert')
  })
})

const AZURE = 'azure-trusted-launch-2026'

/** The host of Azure with the certificate that its TPM holds, which is of another key. */
function azure(change: Partial<TpmExhibit> = {}): TpmExhibit {
  const { evidence, extraData } = tpmCase(AZURE)
  const file = `tpm/${AZURE}/azure-ca-chain.pem`
  return {
    evidence: { ...evidence, akCertificates: [vectorBytes(`tpm/${AZURE}/platform-ak.cert.der`), ...certificatesIn(file)] },
    policy: { ak_trust: ['ak-cert'] },
    extraData,
    anchors: anchorsWith({ roots: pinnedTpmAnchors('azure') }),
    at: new Date(new X509Certificate(vectorBytes(`tpm/${AZURE}/platform-ak.cert.der`)).validFromDate.getTime() + 86_400_000),
    ...change,
  }
}

describe.skipIf(!vectorsPresent())('negative matrix of TPM: certificates of real hosts', () => {
  it('36: the certificate of another key of azure-trusted-launch-2026', async () => {
    expect((await judgeTpm(azure())).code).toBe('tpm-ak-cert-key-mismatch')
  })
})
