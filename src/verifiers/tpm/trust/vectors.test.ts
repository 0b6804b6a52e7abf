import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { NO_COLLATERAL, anchorFor, anchorsWith, contextWith } from '../../../../test/tpm-trust-lab.ts'
import { vectorBytes, vectorsPresent } from '../../../../test/vectors.ts'
import { parseCertificate } from '../../x509.ts'
import { readTpmCertificate } from './certificate.ts'
import { verifyEk } from './ek-certificate.ts'
import { judgeTrust } from './judge.ts'
import { TPM_BUNDLES, TPM_BUNDLE_NAMES, pinnedTpmAnchors } from './pins.ts'
import { unfitForAuthority } from './usage.ts'

const DOCUMENT = { what: 'certificate', code: 'tpm-ak-cert-chain-invalid' } as const
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** The certificates of a file, DER each. */
function certificatesIn(path: string): readonly Uint8Array[] {
  const bytes = vectorBytes(path)
  const blocks = [
    ...Buffer.from(bytes)
      .toString('latin1')
      .matchAll(/-----BEGIN CERTIFICATE-----([^-]*)-----END/g),
  ]
  return blocks.length === 0 ? [bytes] : blocks.map(([, body = '']) => new Uint8Array(Buffer.from(body, 'base64')))
}

const ROOTS = [
  'tpm-manufacturer-roots.pem',
  'google-gcp_ek_ak_ca_root.crt',
  'google-tpm_ek_root_1.cer',
  'azure-ame-root-EXPIRED.pem',
  'azure-vtpm-ca.pem',
]
const INTERMEDIATES = [
  'tpm-manufacturer-intermediates.pem',
  'google-gcp_ek_ak_ca_intermediate_v3.crt',
  'google-tpm_ek_intermediate_2.crt',
  'google-tpm_ek_intermediate_3.crt',
]
const all = (files: readonly string[]) => files.flatMap((file) => certificatesIn(`tpm/ca-roots/${file}`))
const failures = ({ checks }: ReturnType<typeof judgeTrust>) => checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))

/** Pins whose certificates are in no vector: the fingerprint alone is known. */
const ELSEWHERE: readonly string[] = [
  // The root of Intel's older firmware TPMs, and an authority of Nationz.
  '2e1b3ba79af56d758be51697621bc4b9e8cee0983db3e749c55eb9b37c6d2ae0',
  '44afc4b65d4f617143cf3085637e88e6ecc7710f9594b37f65a3dea82d300ba3',
]

/** The strict reader takes names of one attribute a part only, and these are the ones with several. */
function sortsWrongly(der: Uint8Array): boolean {
  try {
    parseCertificate(der)
    return false
  } catch (error) {
    return error instanceof Error && error.message.includes('RelativeDistinguishedName')
  }
}

describe.skipIf(!vectorsPresent())('genuine authorities of TPMs', () => {
  it('are read, and are fit to be authorities', () => {
    const faults = all([...ROOTS, ...INTERMEDIATES]).map((der) => unfitForAuthority(readTpmCertificate(der, DOCUMENT), 0))
    expect(faults.length).toBeGreaterThan(170)
    expect(faults.filter((fault) => fault !== undefined)).toEqual([])
  })
  it('are pinned by the fingerprints that they have, each by the name in it', () => {
    const byDigest = new Map(all([...ROOTS, ...INTERMEDIATES]).map((der) => [sha256(der), readTpmCertificate(der, DOCUMENT)]))
    const pins = TPM_BUNDLE_NAMES.flatMap((name) => Object.entries(TPM_BUNDLES[name].sha256))
    expect(new Set(pins.map(([, digest]) => digest)).size).toBe(pins.length)
    expect(pins.flatMap(([, digest]) => (byDigest.has(digest) ? [] : [digest])).toSorted()).toEqual([...ELSEWHERE].toSorted())
  })
  it('of manufacturers are all in a bundle', () => {
    const pinned = new Set(TPM_BUNDLE_NAMES.flatMap((name) => pinnedTpmAnchors(name).map((anchor) => anchor.sha256)))
    const roots = certificatesIn('tpm/ca-roots/tpm-manufacturer-roots.pem')
    expect(roots.filter((der) => !pinned.has(sha256(der))).map((der) => readTpmCertificate(der, DOCUMENT).subject)).toEqual([])
    expect(roots.length).toBe(26)
  })
  it('include four of Nuvoton’s whose names are not in the order of DER', () => {
    const odd = certificatesIn('tpm/ca-roots/tpm-manufacturer-roots.pem').filter((der) => sortsWrongly(der))
    const { sha256: pins } = TPM_BUNDLES.nuvoton
    const names = ['Nuvoton TPM Root CA 1110', 'Nuvoton TPM Root CA 1111', 'Nuvoton TPM Root CA 2111', 'Nuvoton TPM Root CA 2112'] as const
    expect(new Set(odd.map(sha256))).toEqual(new Set(names.map((name) => pins[name])))
  })
})

describe.skipIf(!vectorsPresent())('a genuine trusted launch host of Azure', () => {
  const folder = 'tpm/azure-trusted-launch-2026'
  const judge = (akPublic: Parameters<typeof judgeTrust>[0]['akPublic'], now: Date) =>
    judgeTrust({
      akPublic,
      certificates: [vectorBytes(`${folder}/platform-ak.cert.der`), ...certificatesIn(`${folder}/azure-ca-chain.pem`)],
      anchors: anchorsWith({ roots: pinnedTpmAnchors('azure') }),
      collateral: NO_COLLATERAL,
      context: contextWith({}, { now }),
    })
  const leaf = () => readTpmCertificate(vectorBytes(`${folder}/platform-ak.cert.der`), DOCUMENT)
  const within = () => new Date(leaf().notBefore.getTime() + 86_400_000)
  it('has a certificate that leads to the pinned root', () => {
    const judged = judge(undefined, within())
    expect(failures(judged)).toEqual([])
    expect(judged.trust?.certificate).toMatchObject({ authority: 'azure', anchor_sha256: pinnedTpmAnchors('azure')[0]?.sha256 })
  })
  it('is refused where it quotes with another key than that of its certificate', () => {
    const pem = Buffer.from(vectorBytes(`${folder}/ak.pub.pem`)).toString()
    const spki = new Uint8Array(Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64'))
    expect(failures(judge({ name: `000b${'00'.repeat(32)}`, spki }, within()))).toEqual(['tpm-ak-cert-key-mismatch'])
  })
  it('is refused when its certificate has ended', () =>
    expect(failures(judge(undefined, new Date(leaf().notAfter.getTime() + 1000)))).toEqual(['tpm-ak-cert-expired']))
})

const verify = (kind: string, softwareTpm: 'refuse' | 'allow', manufacturers: readonly string[] | null = ['00001014']) => {
  const [root = new Uint8Array()] = certificatesIn(`tpm/${kind}/ca-root.pem`)
  const certificate = vectorBytes(`tpm/${kind}/ek.cert.der`)
  return verifyEk({
    certificate,
    chain: certificatesIn(`tpm/${kind}/ca-issuer.pem`),
    anchors: anchorsWith({ roots: [anchorFor({ sha256: sha256(root) }, { manufacturers })], pool: [root] }),
    collateral: NO_COLLATERAL,
    now: new Date(readTpmCertificate(certificate, DOCUMENT).notBefore.getTime() + 1000),
    mode: 'production',
    memo: contextWith().memo.tpm,
    rigour: { skewSeconds: 0, softwareTpm, expiredCertificate: 'refuse', revocation: 'require', crlGraceSeconds: 0 },
  })
}

describe.skipIf(!vectorsPresent())('endorsement certificates of swtpm', () => {
  it.each(['swtpm-ek-rsa2048', 'swtpm-ek-ecc384', 'swtpm-ek-ecc256'])('follow the profile (%s), and are those of a program', (kind) => {
    expect(verify(kind, 'allow').ek).toMatchObject({ manufacturer: '00001014' })
    expect(failures(verify(kind, 'refuse'))).toEqual(['tpm-software-tpm-not-allowed'])
    expect(failures(verify(kind, 'allow', ['53544d20']))).toEqual(['tpm-manufacturer-not-allowed'])
  })
})
