import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ascii, bootAggregate, contentDigest, digestField, entry, fields, file, pcr10 } from '../../../test/ima-lists.ts'
import { attempt } from '../../../test/snp-in-process.ts'
import {
  akNameOf,
  pcrValue,
  pcrValues,
  TEST_AKS,
  TEST_NONCE,
  testEvidence,
  tpmOutcome,
  type QuoteChanges,
} from '../../../test/tpm-quotes.ts'
import { akCertificate, anchorFor, anchorsWith, authority, contextWith, ecKeys, NO_COLLATERAL } from '../../../test/tpm-trust-lab.ts'
import { ENDORSEMENT, qualifiedName, uint } from '../../simulator/tpm-bytes.ts'
import type { TpmEvidence } from '../verifier.ts'
import type { PcrBank } from './claims.ts'
import type { ImaRules } from './ima/rules.ts'

const root = authority('root')
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** The qualified name that the key of tests has as a primary object of the endorsement hierarchy. */
const PRIMARY = qualifiedName('sha256', ENDORSEMENT, bytesOf(akNameOf(testEvidence())))

/** Evidence with a certificate of its key. */
const certified = (changes: QuoteChanges = {}, key = TEST_AKS.p256.publicKey): TpmEvidence => ({
  ...testEvidence([changes]),
  akCertificates: [akCertificate(key, root)],
})

const withoutArea = ({ type, quotes, akCertificates }: TpmEvidence): TpmEvidence => ({ type, quotes, akCertificates })

/** The verdict where an authority of this name is trusted. */
const under = async (name: string, evidence: TpmEvidence) =>
  attempt(evidence, {
    anchors: anchorsWith({ roots: [anchorFor(root, { authority: name })], pool: [root.der] }),
    collateral: NO_COLLATERAL,
    context: { ...contextWith(), extraData: TEST_NONCE },
  })

describe('a quote with nothing but a certificate of its key', () => {
  it('is genuine, and says that nobody here has seen the attributes of the key', async () => {
    const { finding, codes, checks } = await under('lab', withoutArea(certified()))
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm).toMatchObject({
      ak: {
        name: null,
        spki_sha256: hash('sha256', TEST_AKS.p256.publicKey.export({ type: 'spki', format: 'der' })),
        algorithm: 'ecc-p256',
        attributes_verified: false,
        st_clear: null,
        qualified_signer_verified: null,
      },
      ak_trust: 'ak-cert',
      ak_certificate: { authority: 'lab', issuer: 'CN=root' },
      firmware_version_reliable: false,
    })
    const unseen = ['TPM-07', 'TPM-08', 'TPM-09', 'TPM-10', 'TPM-11', 'TPM-15']
    expect(checks.filter(({ id }) => unseen.includes(id)).map(({ id, outcome }) => [id, outcome])).toEqual(unseen.map((id) => [id, 'skip']))
    expect(checks.find(({ id }) => id === 'TPM-13')).toMatchObject({ outcome: 'pass', expected: 'ecc-p256' })
  })

  it('is genuine with a key of RSA, too', async () => {
    const evidence = { ...testEvidence([{}], TEST_AKS.rsassa), akCertificates: [akCertificate(TEST_AKS.rsassa.publicKey, root)] }
    const { finding } = await under('lab', withoutArea(evidence))
    expect(finding?.claims?.tpm?.ak).toMatchObject({ algorithm: 'rsa-2048', scheme: 'rsassa' })
  })

  it('is refused where another key signed, or one of another kind', async () => {
    expect((await under('lab', withoutArea(certified({}, ecKeys().publicKey)))).codes).toEqual(['tpm-signature-invalid'])
    expect((await under('lab', withoutArea(certified({}, TEST_AKS.rsassa.publicKey)))).codes).toEqual(['tpm-signature-scheme-mismatch'])
  })

  it('is refused where nobody is trusted', async () => {
    const { codes, finding } = await tpmOutcome(withoutArea(certified()), { rigour: { akTrust: ['ak-cert'] } })
    expect(codes).toEqual(['tpm-ak-cert-chain-invalid'])
    expect(finding?.claims).toBeUndefined()
  })

  it('is refused where the certificate cannot be read, with no key to verify by', async () => {
    const evidence = { ...withoutArea(certified()), akCertificates: [uint(8, 1)] }
    const { codes, checks, finding } = await under('lab', evidence)
    expect(codes).toEqual(['tpm-ak-cert-chain-invalid'])
    expect(checks.filter(({ id }) => id === 'TPM-13' || id === 'TPM-17').map(({ outcome }) => outcome)).toEqual(['skip', 'skip'])
    expect(finding?.claims).toBeUndefined()
  })
})

/** What becomes of a key at this place in the TPM, which an authority of this name certifies. */
const placed = async (name: string, qualifiedSigner?: Uint8Array) => {
  const { codes, checks, finding } = await under(name, certified(qualifiedSigner === undefined ? {} : { attest: { qualifiedSigner } }))
  return { codes, check: checks.find(({ id }) => id === 'TPM-15'), tpm: finding?.claims?.tpm }
}

describe('the place of a key in the TPM (TPM-15)', () => {
  it('must be Google’s where Google vouches for the key', async () => {
    const { codes, check, tpm } = await placed('google')
    expect(codes).toEqual(['tpm-qualified-signer-mismatch'])
    expect(check).toMatchObject({ outcome: 'fail', expected: hexOf(PRIMARY), actual: `000b${'a5'.repeat(32)}` })
    expect(tpm).toBeUndefined()
  })

  it('is proven where the TPM signed it, and with it the whole public area', async () => {
    for (const name of ['google', 'lab']) {
      const { codes, check, tpm } = await placed(name, PRIMARY)
      expect([codes, check?.outcome]).toEqual([[], 'pass'])
      expect(tpm).toMatchObject({
        ak: { name: akNameOf(testEvidence()), attributes_verified: true, st_clear: false, qualified_signer_verified: true },
        firmware_version_reliable: true,
      })
    }
  })

  it('is not known of the keys of others, whose attributes their issuer vouches for', async () => {
    const { codes, check, tpm } = await placed('lab')
    expect([codes, check?.outcome]).toEqual([[], 'skip'])
    expect(tpm).toMatchObject({
      ak: { name: null, attributes_verified: false, st_clear: null, qualified_signer_verified: null },
      firmware_version_reliable: false,
    })
  })

  it('is the endorsement hierarchy for Azure’s, by the word of Azure', async () => {
    const { codes, tpm } = await placed('azure')
    expect(codes).toEqual([])
    expect(tpm).toMatchObject({ ak: { qualified_signer_verified: null }, firmware_version_reliable: true })
  })
})

const PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
const FIRST_PCRS = PCRS.slice(0, 10).map((pcr) => pcrValue('sha256', pcr))
const LIST = [bootAggregate(FIRST_PCRS), file('/bin/a', 'a'), file('/bin/b', 'b')]
const RULES: ImaRules = {
  bootAggregate: 'verify',
  legacyPadding: 'refuse',
  digests: new Map([['/bin/a', new Set([`sha256:${hexOf(contentDigest('a'))}`])]]),
  isExcluded: () => false,
  keyrings: new Map(),
  ignoredKeyrings: new Set(),
  buffers: new Map(),
  signers: [],
}

/** Evidence whose PCR 10 is what this beginning of a list leads to. */
function measured(entries: number): TpmEvidence {
  const selections = [{ bank: 'sha256', pcrs: PCRS }] as const
  const values = { sha256: { ...pcrValues(selections).sha256, 10: pcr10(LIST.slice(0, entries)) } }
  return { ...testEvidence([{ selections, values, sent: values }]), imaLog: ascii(LIST) }
}

describe('a list of measured files under a policy that evaluates it', () => {
  it('is held against PCR 10, and leaves behind what the next one continues', async () => {
    const { finding, codes } = await tpmOutcome(measured(2), { rigour: { ima: RULES } })
    const { claims, remains } = finding ?? {}
    expect(codes).toEqual([])
    expect(claims?.tpm?.ima).toMatchObject({
      attested_entries: 2,
      unattested_entries: 1,
      boot_aggregate: '0-9',
      accepted: { digest: 1 },
      faults: {},
    })
    expect(remains?.imaState).toMatchObject({
      akName: claims?.tpm?.ak.spki_sha256,
      bank: 'sha256',
      entries: 2,
      clock: { clock: 5840n, resetCount: 2, restartCount: 0 },
    })
  })

  it('is continued by that', async () => {
    const trial = { rigour: { ima: RULES } }
    const imaState = (await tpmOutcome(measured(2), trial)).finding?.remains?.imaState
    const rest = { ...measured(3), imaLog: ascii(LIST.slice(2)) }
    const { finding, codes } = await tpmOutcome(rest, { ...trial, context: { tpm: { imaState } } })
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm?.ima).toMatchObject({ attested_entries: 3, continued: true, faults: { 'not-allowed': { count: 1 } } })
    expect((await tpmOutcome(rest, trial)).codes).toEqual(['tpm-ima-replay-mismatch'])
  })

  it('says nothing where it does not lead to PCR 10', async () => {
    const { finding, codes } = await tpmOutcome({ ...measured(2), imaLog: ascii(LIST.slice(0, 1)) }, { rigour: { ima: RULES } })
    expect(codes).toEqual(['tpm-ima-replay-mismatch'])
    expect([finding?.claims, finding?.remains]).toEqual([undefined, undefined])
  })

  it('is not shown banks that may not be relied on', async () => {
    const sha1 = Object.fromEntries(PCRS.map((pcr) => [String(pcr), pcrValue('sha1', pcr)]))
    const aggregate = hash('sha1', Buffer.concat(PCRS.slice(0, 10).map((pcr) => pcrValue('sha1', pcr))), 'buffer')
    const list = [entry('ima-ng', digestField('sha1', aggregate), fields.text('boot_aggregate'))]
    const selections = [{ bank: 'sha256', pcrs: [10] } as const, { bank: 'sha1', pcrs: PCRS } as const]
    const values = { sha1, sha256: { 10: pcr10(list) } }
    const evidence = { ...testEvidence([{ selections, values, sent: values }]), imaLog: ascii(list) }
    const judged = async (banks: readonly PcrBank[]) =>
      (await tpmOutcome(evidence, { rigour: { banks, ima: { ...RULES, bootAggregate: 'if-quoted' } } })).finding?.claims?.tpm?.ima
    expect(await judged(['sha256'])).toMatchObject({ attested_entries: 1, boot_aggregate: null })
    expect(await judged(['sha256', 'sha1'])).toMatchObject({ attested_entries: 1, boot_aggregate: '0-9' })
  })
})
