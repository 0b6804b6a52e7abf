import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorJson, vectorsPresent } from '../../../test/vectors.ts'
import { inspectEvidence, inspectStructure } from '../inspect.ts'
import type { TpmEvidence } from '../verifier.ts'
import { inspectTpm } from './inspect.ts'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null
const memberOf = (value: unknown, name: string): unknown => (isRecord(value) ? value[name] : undefined)

const TYPES = 'swtpm-attest-types'

/** What the manifest expects of an attestation of these, and of the key that signed it. */
function expectedOf(name: string): unknown {
  const cases = memberOf(vectorJson('tpm/MANIFEST.json'), 'cases')
  const expected = memberOf(
    listOf(cases).find((row) => memberOf(row, 'case') === TYPES),
    'expected',
  )
  return listOf(memberOf(expected, 'items')).find((row) => memberOf(row, 'name') === name)
}
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** Fields of what is attested to, by type, as the manifest names them. */
const ATTESTED: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  certify: { name: 'name', qualified_name: 'qualifiedName' },
  time: { firmware_version: 't_fw' },
  nv: { index_name: 'indexName', offset: 'offset', nv_contents: 'nvContents' },
  creation: { object_name: 'objectName', creation_hash: 'creationHash' },
  quote: { pcr_digest: 'pcrDigest' },
}

const quoteOf = (name: string, folder = TYPES): TpmEvidence => ({
  type: 'tpm',
  quotes: [{ quote: vectorBytes(`tpm/${folder}/${name}.attest.bin`), signature: vectorBytes(`tpm/${folder}/${name}.sig.bin`), pcrs: {} }],
  akCertificates: [],
})
const signedBy = (name: string): TpmEvidence => ({
  ...quoteOf(name),
  akPublic: vectorBytes(`tpm/${TYPES}/${name}.signer.tpm2b_public.bin`),
})

describe.skipIf(!vectorsPresent())('vectors, inspected', () => {
  it.each([
    ['certify', 'certify'],
    ['gettime', 'time'],
    ['nvcertify', 'nv'],
    ['certifycreation', 'creation'],
    ['forged-unrestricted', 'quote'],
  ])('%s is shown as %s, as the manifest has it', async (name, type) => {
    const expected = expectedOf(name)
    const attest = memberOf(expected, 'attest')
    const { quotes, ak_public } = await inspectTpm(signedBy(name))
    expect(quotes).toMatchObject([
      {
        form: 'TPMS_ATTEST',
        type: memberOf(attest, 'type'),
        qualified_signer: memberOf(attest, 'qualifiedSigner'),
        extra_data: memberOf(attest, 'extraData'),
        clock_info: { clock: String(memberOf(attest, 'clock')), safe: memberOf(attest, 'safe') === 1 },
        firmware_version: memberOf(attest, 'firmwareVersion'),
        attested: Object.fromEntries(Object.entries(ATTESTED[type] ?? {}).map(([field, named]) => [field, memberOf(attest, named)])),
        signature: { hash: 'sha256' },
      },
    ])
    expect(ak_public).toMatchObject({ form: 'TPM2B_PUBLIC', attributes: memberOf(expected, 'signerAttributes') })
    expect(inspectStructure(vectorBytes(`tpm/${TYPES}/${name}.attest.bin`))).toMatchObject({
      quotes: [{ type, attested: quotes[0]?.attested, signature: null }],
    })
  })

  it('certify names the object that is certified', async () => {
    const subject = inspectStructure(vectorBytes(`tpm/${TYPES}/certify.subject.tpm2b_public.bin`))
    const { quotes } = await inspectTpm(signedBy('certify'))
    expect(subject).toMatchObject({ ak_public: { name: memberOf(quotes[0]?.attested, 'name') } })
  })

  it('the key that signs anything is shown without its restriction', async () => {
    const { ak_public: area, checks } = await inspectTpm(signedBy('forged-unrestricted'))
    expect(memberOf(area, 'attributes')).not.toContain('restricted')
    expect(checks.find(({ outcome }) => outcome === 'fail')).toMatchObject({ id: 'TPM-10', code: 'tpm-ak-not-restricted' })
  })

  it('a message that no TPM made is none', async () => {
    const plain = {
      ...quoteOf('certify'),
      quotes: [{ quote: vectorBytes(`tpm/${TYPES}/plain.msg.bin`), signature: new Uint8Array(0), pcrs: {} }],
    }
    await expect(inspectEvidence(plain)).rejects.toMatchObject({ code: 'tpm-attest-magic-invalid' })
  })

  it('an instance of Google’s is shown with key, certificate, chain and log', async () => {
    const folder = 'gce-cos-85-nonce9009'
    const view = await inspectTpm({
      ...quoteOf('quote-sha1', folder),
      akPublic: vectorBytes(`tpm/${folder}/ak.tpmt_public.bin`),
      akCertificates: [vectorBytes(`tpm/${folder}/ak.cert.der`), vectorBytes(`tpm/${folder}/ca-gcp_ek_ak_ca_intermediate_v3.crt`)],
      eventLog: vectorBytes(`tpm/${folder}/eventlog.bin`),
    })
    expect(view).toMatchObject({
      quotes: [{ attested: { pcr_select: [{ hash: 'sha1' }] }, pcrs_missing: [expect.stringMatching(/^sha1:0-/) as string] }],
      ak_public: { form: 'TPMT_PUBLIC', object_attributes: '0x00050072' },
      certificates: [{ gce: { zone: 'us-central1-a', production: 'yes' } }, { gce: null }],
      event_log: { trusted: false },
    })
    expect(memberOf(view.certificates[0], 'spki_sha256')).toBe(memberOf(view.ak_public, 'spki_sha256'))
  })

  it('a log that tells of its startup is shown with it', async () => {
    const eventLog = vectorBytes('tpm/eventlog-gtt-glinux-alex/eventlog.bin')
    expect((await inspectTpm({ ...quoteOf('certify'), eventLog })).event_log).toMatchObject({ startup_locality: 3 })
    expect(inspectStructure(eventLog)).toMatchObject({ type: 'tpm', event_log: { startup_locality: 3 } })
  })

  it.each(['swtpm-ima-quote', 'ima-keylime-sha1', 'ima-keylime-sha512'])('the list of %s is counted to its end', async (folder) => {
    const imaLog = vectorBytes(`tpm/${folder}/ascii_runtime_measurements`)
    const lines = Buffer.from(imaLog).toString('latin1').trimEnd().split('\n')
    const view = (await inspectTpm({ ...quoteOf('certify'), imaLog })).ima_log
    expect(view).toMatchObject({
      entries: lines.length,
      violations: lines.filter((line) => /^10 0+ /.test(line)).length,
      fault: null,
    })
    expect(view?.templates.reduce((sum, { entries }) => sum + entries, 0)).toBe(lines.length)
  })
})
