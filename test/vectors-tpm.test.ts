import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { parseQuote } from '../src/verifiers/tpm/attest.ts'
import type { TpmClaims } from '../src/verifiers/tpm/claims.ts'
import { certificatesIn, folderOf, nameOfCase, TPM_CASES, tpmCase, type TpmCase } from './tpm-cases.ts'
import { failedCodes, judgeTpm, type TpmExhibit } from './tpm-judged.ts'
import { anchorsWith } from './tpm-trust-lab.ts'
import { vectorJson, vectorsPresent } from './vectors.ts'

const present = vectorsPresent()
const names = present ? TPM_CASES : []

/** Evidence that its manifest says is refused, once its key is trusted. */
const REFUSED: Readonly<Record<string, string>> = {
  'gce-cos-85-nonce9009 sha1': 'tpm-pcr-bank-weak',
  'swtpm-quotes-with-eventlog sha1bank': 'tpm-pcr-bank-weak',
}

/** A policy that enrols the key by its name. */
const enrolled = ({ evidence, extraData }: TpmCase): TpmExhibit => {
  const keys = [nameOfCase(evidence)]
  // A certificate beside an enrolled key would be judged, too.
  return { evidence: { ...evidence, akCertificates: [] }, extraData, policy: { ak_trust: ['enrolled-ak'], enrolled_aks: keys } }
}

type Attest = {
  readonly pcrDigest: string
  readonly extraData: string
  readonly clock: number
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: number
  readonly firmwareVersion: string
  readonly qualifiedSigner: string
}
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
/** Every attestation that the manifest describes below one value. */
const attestsIn = (value: unknown): readonly Attest[] => {
  if (!isRecord(value)) return []
  return 'magic' in value ? [value as Attest] : Object.values(value).flatMap(attestsIn)
}
type Manifest = { readonly cases: readonly { readonly case: string; readonly expected: Readonly<Record<string, unknown>> }[] }
const expectedOf = (name: string) =>
  (vectorJson('tpm/MANIFEST.json') as Manifest).cases.find((row) => row.case === folderOf(name))?.expected

/** What the manifest says of the last quote of evidence, found by what only that quote has. */
function attestOf({ name, evidence }: TpmCase): Attest {
  const digests = evidence.quotes.map(({ quote }) => Buffer.from(parseQuote(quote, name).attested.pcrDigest).toString('hex'))
  const extraData = evidence.quotes.map(({ quote }) => Buffer.from(parseQuote(quote, name).extraData).toString('hex'))
  const found = attestsIn(expectedOf(name)).find((row) => row.pcrDigest === digests.at(-1) && row.extraData === extraData.at(-1))
  if (found === undefined) throw new Error(`the manifest does not tell of ${name}`)
  return found
}

const claimed = ({ clock, firmware_version: firmware, ak }: TpmClaims) => [clock, firmware, ak.qualified_signer]

describe.skipIf(!present)('vectors/tpm under a policy that enrols their keys', () => {
  it.each(names)('%s', async (name) => {
    const vector = tpmCase(name)
    const answer = await judgeTpm(enrolled(vector))
    expect(failedCodes(answer)).toEqual(name in REFUSED ? [REFUSED[name]] : [])
    expect(answer.code).toBe(REFUSED[name] ?? 'accepted')
    if (answer.claims === undefined) return
    const { clock, resetCount, restartCount, safe, firmwareVersion, qualifiedSigner } = attestOf(vector)
    const manifest = { clock: String(clock), reset_count: resetCount, restart_count: restartCount, safe: safe === 1, rebooted: null }
    expect(claimed(answer.claims)).toEqual([manifest, firmwareVersion, qualifiedSigner])
  })

  it.each(names)('%s is refused for another nonce, and under nobody’s trust', async (name) => {
    const exhibit = enrolled(tpmCase(name))
    expect(failedCodes(await judgeTpm({ ...exhibit, extraData: new Uint8Array(32) }))).toContain('tpm-nonce-mismatch')
    expect((await judgeTpm({ ...exhibit, policy: { ak_trust: ['ak-cert', 'ek-activation'] } })).code).toBe('tpm-ak-untrusted')
    const others = { ak_trust: ['enrolled-ak'], enrolled_aks: [`000b${'00'.repeat(32)}`] }
    expect((await judgeTpm({ ...exhibit, policy: others })).code).toBe('tpm-ak-not-enrolled')
  })

  it.each(names)('%s is refused with a PCR value of any bank changed', async (name) => {
    const { evidence, ...exhibit } = enrolled(tpmCase(name))
    const [quote, ...others] = evidence.quotes
    if (quote === undefined) throw new Error('no quote')
    for (const [bank, values] of Object.entries(quote.pcrs)) {
      const [[pcr, value] = ['', new Uint8Array()]] = Object.entries(values).slice(-1)
      const pcrs = { ...quote.pcrs, [bank]: { ...values, [pcr]: value.with(0, (value[0] ?? 0) ^ 1) } }
      const answer = await judgeTpm({ ...exhibit, evidence: { ...evidence, quotes: [{ ...quote, pcrs }, ...others] } })
      expect(failedCodes(answer)).toContain('tpm-pcr-digest-mismatch')
    }
  })
})

const GCE = 'gce-cos-85-nonce9009'

/** The host of Google’s cloud under a root that the operator calls Google’s. */
function underGoogle(root: string, more: Partial<TpmExhibit> = {}): TpmExhibit {
  const { evidence, extraData } = tpmCase(GCE)
  const [der = new Uint8Array()] = certificatesIn(`tpm/${GCE}/${root}`)
  const sha256 = createHash('sha256').update(der).digest('hex')
  const anchor = { sha256, roles: ['ak'] as const, authority: 'google', manufacturers: [], origin: 'configured' as const }
  return { evidence, extraData, policy: { ak_trust: ['ak-cert'] }, anchors: anchorsWith({ roots: [anchor], pool: [der] }), ...more }
}

describe.skipIf(!present)('a host of Google’s cloud under its certificate', () => {
  it('is the instance that the certificate names, in the strongest bank, with what its log proves', async () => {
    const answer = await judgeTpm(underGoogle('ca-tpm_ek_root_1.cer'))
    expect([answer.code, failedCodes(answer)]).toEqual(['accepted', []])
    expect(answer.claims).toMatchObject({
      ak: { name: '000bf175bdb57297b2b289973f819863d6c9d09c236725676914f4248c9a2404c2a4', qualified_signer_verified: true },
      ak_trust: 'ak-cert',
      ak_certificate: { authority: 'google', not_after: '2051-08-24T23:16:05.000Z' },
      gce: {
        zone: 'us-central1-a',
        project_number: '117478743145',
        project_id: 'google.com:wuale-gcp-testing',
        instance_id: '6797026933021542085',
        instance_name: 'cos-test',
      },
      bank: 'sha384',
      boot: { secure_boot: { enabled: true }, scrtm_version: 'GCE Virtual Firmware v1' },
    })
  })

  it.each<[string, () => TpmExhibit, string]>([
    ['the newer root of Google’s', () => underGoogle('ca-gcp_ek_ak_ca_root.crt'), 'tpm-ak-cert-chain-invalid'],
    [
      'its root before it begins',
      () => underGoogle('ca-tpm_ek_root_1.cer', { at: new Date('2021-08-30T00:00:00Z') }),
      'tpm-ak-cert-expired',
    ],
    ['its root after it ended', () => underGoogle('ca-tpm_ek_root_1.cer', { at: new Date('2051-08-26T00:00:00Z') }), 'tpm-ak-cert-expired'],
    [
      'a policy that lists another project',
      () => underGoogle('ca-tpm_ek_root_1.cer', { policy: { ak_trust: ['ak-cert'], gce: { project_ids: ['other'] } } }),
      'tpm-gce-identity-not-allowed',
    ],
  ])('is refused under %s', async (_, make, code) => {
    expect((await judgeTpm(make())).code).toBe(code)
  })
})
