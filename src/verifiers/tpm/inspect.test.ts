import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bootLog, HOST, TYPE } from '../../../test/boot-log.ts'
import { ascii, binary, buffer, file, violation } from '../../../test/ima-lists.ts'
import { akNameOf, FIRMWARE_PCRS, pcrValue, pcrValues, TEST_AKS, TEST_NONCE, testEvidence, testQuote } from '../../../test/tpm-quotes.ts'
import { akCertificate, authority } from '../../../test/tpm-trust-lab.ts'
import { attestBytes, joined, publicArea, tpm2b, uint } from '../../simulator/tpm-bytes.ts'
import { inspectEvidence, inspectStructure } from '../inspect.ts'
import type { TpmEvidence } from '../verifier.ts'
import { inspectTpm } from './inspect.ts'

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Evidence of one attestation of this type. */
const attested = (type: number, ...body: readonly Uint8Array[]): TpmEvidence => ({
  ...testEvidence(),
  quotes: [{ quote: attestBytes({ type, body: joined(...body) }), signature: new Uint8Array(0), pcrs: {} }],
})

const first = async (evidence: TpmEvidence) => (await inspectTpm(evidence)).quotes[0]

const [name, digest] = [uint(64, 0x000b_1234), new Uint8Array(32).fill(7)]

describe('TPM evidence, inspected', () => {
  it('shows every field of quote, signature and public area, and says that nothing is proven', async () => {
    const evidence = testEvidence()
    const signature = evidence.quotes[0]?.signature ?? new Uint8Array(0)
    const { x = '', y = '' } = TEST_AKS.p256.publicKey.export({ format: 'jwk' })
    expect(await inspectEvidence(evidence)).toMatchObject({
      type: 'tpm',
      verified: false,
      quotes: [
        {
          form: 'TPMS_ATTEST',
          type: 'quote',
          qualified_signer: `000b${'a5'.repeat(32)}`,
          extra_data: hexOf(TEST_NONCE),
          clock_info: { clock: '5840', reset_count: 2, restart_count: 0, safe: true },
          firmware_version: '2019102300163636',
          attested: { pcr_select: [{ hash: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }] },
          signature: { algorithm: 'ecdsa', hash: 'sha256', r: unsigned(signature.subarray(6, 38)), s: unsigned(signature.subarray(40)) },
          pcrs_missing: [],
        },
      ],
      ak_public: {
        form: 'TPMT_PUBLIC',
        name: akNameOf(evidence),
        spki_sha256: createHash('sha256')
          .update(TEST_AKS.p256.publicKey.export({ type: 'spki', format: 'der' }))
          .digest('hex'),
        name_alg: 'sha256',
        object_attributes: '0x00050072',
        attributes: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'userWithAuth', 'restricted', 'sign'],
        auth_policy: '',
        symmetric: null,
        scheme: { algorithm: 'ecdsa', hash: 'sha256' },
        key: { type: 'ecc', curve: 'P-256', kdf: null, x: b64Hex(x), y: b64Hex(y) },
      },
      certificates: [],
      event_log: null,
      ima_log: null,
    })
  })

  it('shows an RSA key, and structures behind a length as the same', async () => {
    const evidence = testEvidence([{}], TEST_AKS.rsapss)
    const { akPublic = new Uint8Array(0), quotes } = evidence
    const wrapped = { ...evidence, akPublic: tpm2b(akPublic), quotes: quotes.map((row) => ({ ...row, quote: tpm2b(row.quote) })) }
    const { n = '' } = TEST_AKS.rsapss.publicKey.export({ format: 'jwk' })
    const [bare, sized] = [await inspectTpm(evidence), await inspectTpm(wrapped)]
    expect(bare).toMatchObject({
      quotes: [{ signature: { algorithm: 'rsapss', hash: 'sha256', signature: hexOf(quotes[0]?.signature.subarray(6) ?? name) } }],
      ak_public: { scheme: { algorithm: 'rsapss' }, key: { type: 'rsa', key_bits: 2048, exponent: 65_537, modulus: b64Hex(n) } },
    })
    expect(sized.quotes).toEqual(bare.quotes.map((quote) => ({ ...quote, form: 'TPM2B_ATTEST' })))
    expect(sized.ak_public).toEqual({ ...bare.ak_public, form: 'TPM2B_PUBLIC' })
  })

  it.each<[string, TpmEvidence, object]>([
    ['certify', attested(0x8017, tpm2b(name), tpm2b(digest)), { name: hexOf(name), qualified_name: hexOf(digest) }],
    ['creation', attested(0x801a, tpm2b(name), tpm2b(digest)), { object_name: hexOf(name), creation_hash: hexOf(digest) }],
    [
      'time',
      attested(0x8019, uint(64, 77), uint(64, 78), uint(32, 1), uint(32, 2), uint(8, 0), uint(64, 0xabc)),
      {
        time: '77',
        clock_info: { clock: '78', reset_count: 1, restart_count: 2, safe: false },
        firmware_version: '0000000000000abc',
      },
    ],
    [
      'nv',
      attested(0x8014, tpm2b(name), uint(16, 5), tpm2b(uint(32, 0xdead))),
      { index_name: hexOf(name), offset: 5, nv_contents: '0000dead' },
    ],
    ['nv-digest', attested(0x801c, tpm2b(name), tpm2b(digest)), { index_name: hexOf(name), nv_digest: hexOf(digest) }],
    [
      'command-audit',
      attested(0x8015, uint(64, 9), uint(16, 0x000b), tpm2b(digest), tpm2b(name)),
      { audit_counter: '9', digest_alg: 'sha256', audit_digest: hexOf(digest), command_digest: hexOf(name) },
    ],
    ['session-audit', attested(0x8016, uint(8, 1), tpm2b(digest)), { exclusive_session: true, session_digest: hexOf(digest) }],
  ])('shows an attestation of type %s, which verification would refuse', async (type, evidence, expected) => {
    expect(await first(evidence)).toMatchObject({ type, attested: expected, pcr_values: [], pcrs_missing: [] })
    expect((await inspectTpm(evidence)).checks.at(-1)).toMatchObject({ id: 'TPM-05', outcome: 'fail', code: 'tpm-attest-type-not-quote' })
  })

  it.each<[string, Uint8Array, string]>([
    ['an unknown type', attestBytes({ type: 0x801b, body: new Uint8Array(0) }), 'tpm-attest-type-unexpected'],
    ['a byte more', attestBytes({ body: testBody(), trailing: uint(8, 0) }), 'tpm-attest-trailing-bytes'],
    ['foreign data', new Uint8Array(200), 'tpm-attest-magic-invalid'],
    ['nothing', new Uint8Array(0), 'tpm-attest-malformed'],
  ])('refuses %s, of which no field can be told', async (_, quote, code) => {
    const evidence = { ...testEvidence(), quotes: [testQuote(), { quote, signature: new Uint8Array(0), pcrs: {} }] }
    await expect(inspectEvidence(evidence)).rejects.toMatchObject({ code, at: expect.stringContaining('quotes[1].quote') as string })
  })

  it('shows what else cannot be read by its code', async () => {
    const akPublic = publicArea(TEST_AKS.p256.publicKey, TEST_AKS.p256.scheme).subarray(1)
    const evidence = { ...attested(0x8016, uint(8, 1), tpm2b(digest)), akPublic, akCertificates: [uint(8, 1)], eventLog: uint(8, 1) }
    expect(await inspectTpm(evidence)).toMatchObject({
      quotes: [{ signature: { code: 'tpm-signature-malformed' } }],
      ak_public: { code: 'tpm-ak-public-malformed' },
      certificates: [{ at: 'ak_certificates[0]', code: 'tpm-ak-cert-chain-invalid' }],
      event_log: { code: 'tpm-eventlog-malformed' },
    })
  })

  it('shows a signature of a kind that is not accepted by its algorithm', async () => {
    const quote = { ...testQuote(), signature: joined(uint(16, 0x001a), uint(16, 0x000b)) }
    expect((await first({ ...testEvidence(), quotes: [quote] }))?.signature).toEqual({ algorithm: 'ecdaa', bytes: '001a000b' })
  })

  it('shows a key that is no attestation key, by the names of its attributes and algorithms', async () => {
    const parameters = joined(...[0x0006, 128, 0x0043, 0x0010, 0x0010, 0x0020, 0x000b].map((word) => uint(16, word)))
    const storage = { ...TEST_AKS.p256.scheme, attributes: 0x8003_00f2, parameters }
    const akPublic = publicArea(TEST_AKS.p256.publicKey, storage)
    expect((await inspectTpm({ ...testEvidence(), akPublic })).ak_public).toMatchObject({
      object_attributes: '0x800300f2',
      attributes: [
        'fixedTPM',
        'fixedParent',
        'sensitiveDataOrigin',
        'userWithAuth',
        'adminWithPolicy',
        'restricted',
        'decrypt',
        'reserved bit 31',
      ],
      symmetric: { algorithm: 'aes', key_bits: 128, mode: 'cfb' },
      scheme: null,
      spki_sha256: null,
      key: { curve: '0x0010', kdf: { algorithm: 'kdf1_sp800_56a', hash: 'sha256' } },
    })
  })

  it('shows a scheme without a hash', async () => {
    const parameters = joined(uint(16, 0x0010), uint(16, 0x0015), uint(16, 2048), uint(32, 0))
    const akPublic = publicArea(TEST_AKS.rsassa.publicKey, { ...TEST_AKS.rsassa.scheme, parameters })
    expect((await inspectTpm({ ...testEvidence(), akPublic })).ak_public).toMatchObject({ scheme: { algorithm: 'rsaes', hash: null } })
  })

  it('shows certificates with what they say of TPM and instance', async () => {
    const root = authority('root')
    const akCertificates = [akCertificate(TEST_AKS.p256.publicKey, root), root.der]
    expect((await inspectTpm({ ...testEvidence(), akCertificates })).certificates).toMatchObject([
      { at: 'ak_certificates[0]', issuer: 'CN=root', extended_key_usage: ['2.23.133.8.3'], tpm_specifications: [], gce: null, assay: null },
      { at: 'ak_certificates[1]', subject: 'CN=root' },
    ])
  })
})

/** A number without leading zeros, as signatures are shown. */
const unsigned = (bytes: Uint8Array): string => hexOf(bytes).replace(/^(?:00)+/, '')
const b64Hex = (text: string): string => Buffer.from(text, 'base64url').toString('hex')
function testBody(): Uint8Array {
  return joined(uint(32, 0), tpm2b(digest))
}

describe('PCR values, inspected', () => {
  it('stand beside the signed selection, with what is surplus and what is missing', async () => {
    const sent = {
      sha256: { 1: pcrValue('sha256', 1), '01': uint(8, 1), 23: pcrValue('sha256', 23) },
      sha384: { 0: uint(8, 2), 1: uint(8, 3) },
    }
    const selections = [...FIRMWARE_PCRS, { bank: 0x0012, pcrs: [3] }, { bank: 'sha384', pcrs: [0] }] as const
    const quote = testQuote({ selections, sent })
    expect(await first({ ...testEvidence(), quotes: [quote] })).toMatchObject({
      attested: { pcr_select: [{ hash: 'sha256' }, { hash: '0x0012', pcrs: [3] }, { hash: 'sha384', pcrs: [0] }] },
      pcr_values: [
        { pcr: 'sha256:1', value: '11'.repeat(32), selected: true },
        { pcr: 'sha256:23', selected: false },
        { pcr: 'sha256:01', value: '01', selected: false },
        { pcr: 'sha384:0', value: '02', selected: true },
        { pcr: 'sha384:1', value: '03', selected: false },
      ],
      pcrs_missing: ['sha256:0,2-7', '0x0012:3'],
    })
  })

  it('are all surplus beside an attestation that selects none', async () => {
    const evidence = attested(0x8016, uint(8, 1), tpm2b(digest))
    const quotes = evidence.quotes.map((quote) => ({ ...quote, pcrs: pcrValues([{ bank: 'sha256', pcrs: [0] }]) }))
    expect(await first({ ...evidence, quotes })).toMatchObject({
      pcr_values: [{ pcr: 'sha256:0', selected: false }],
      pcrs_missing: [],
    })
  })
})

const idsOf = async (evidence: TpmEvidence): Promise<readonly string[]> =>
  (await inspectTpm(evidence)).checks.map(({ id, outcome }) => `${id} ${outcome}`)

describe('checks of an inspection', () => {
  it('are those of structure, and none that proves anything', async () => {
    const evidence = testEvidence()
    const numbers = ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '16', '33']
    expect(await idsOf(evidence)).toEqual(numbers.map((number) => `TPM-${number} pass`))
    const forged = { ...evidence, quotes: evidence.quotes.map((quote) => ({ ...quote, signature: testQuote().signature })) }
    expect(await idsOf(forged)).toEqual(await idsOf(evidence))
  })

  it('tell how many quotes there may be', async () => expect(await idsOf({ ...testEvidence(), quotes: [] })).toEqual(['TPM-01 fail']))
})

/** A record of the locality of the startup. */
const record = (locality: number) => ({
  pcr: 0,
  type: 3,
  data: new Uint8Array(Buffer.concat([Buffer.from('StartupLocality\0'), Buffer.of(locality)])),
})
const localityIn = async (events: typeof HOST) => (await inspectTpm({ ...testEvidence(), eventLog: bootLog(events) })).event_log

describe('an event log, inspected', () => {
  it('is summed up by PCR and type, and is not to be trusted', async () => {
    const separators = HOST.filter(({ pcr, type }) => pcr === 7 && type === TYPE.separator).length
    const { event_log } = await inspectTpm({ ...testEvidence(), eventLog: bootLog(HOST) })
    expect(event_log).toMatchObject({
      trusted: false,
      algorithms: ['sha256'],
      events: HOST.length,
      startup_locality: 0,
      events_by_pcr: expect.arrayContaining([{ pcr: 7, type: 'EV_SEPARATOR (0x00000004)', events: separators }]) as unknown,
    })
    const rows = event_log !== null && 'events_by_pcr' in event_log ? event_log.events_by_pcr : []
    expect(rows.reduce((sum, { events }) => sum + events, 0)).toBe(HOST.length)
    expect(rows.map(({ pcr }) => pcr)).toEqual(rows.map(({ pcr }) => pcr ?? -1).toSorted((a, b) => a - b))
  })

  it('tells the locality of the startup, or why it cannot', async () => {
    expect(await localityIn([record(3), ...HOST])).toMatchObject({ startup_locality: 3 })
    expect(await localityIn([...HOST, record(3)])).toMatchObject({
      startup_locality: { code: 'tpm-eventlog-startup-locality-invalid' },
    })
  })

  it('may have records that are of no PCR', async () => {
    const eventLog = bootLog([...HOST, { pcr: 0xffff_ffff, type: 3, data: uint(8, 1) }])
    expect((await inspectTpm({ ...testEvidence(), eventLog })).event_log).toMatchObject({
      events_by_pcr: expect.arrayContaining([{ pcr: null, type: 'EV_NO_ACTION (0x00000003)', events: 1 }]) as unknown,
    })
  })
})

describe('an IMA list, inspected', () => {
  const list = [file('/bin/a', 'a'), violation('/var/log'), file('/bin/b', 'b'), buffer('.ima', uint(8, 1))]
  it.each([
    ['ASCII', ascii(list)],
    ['binary', binary(list)],
  ])('is summed up in %s', async (_, imaLog) => {
    expect((await inspectTpm({ ...testEvidence(), imaLog })).ima_log).toEqual({
      trusted: false,
      entries: 4,
      violations: 1,
      templates: [
        { template: 'ima-ng', entries: 3 },
        { template: 'ima-buf', entries: 1 },
      ],
      fault: null,
    })
  })

  it('is summed up as far as it can be read', async () => {
    const imaLog = joined(ascii(list.slice(0, 2)), Buffer.from('10 nothing\n'))
    expect((await inspectTpm({ ...testEvidence(), imaLog })).ima_log).toMatchObject({
      entries: 2,
      violations: 1,
      fault: { code: 'tpm-ima-malformed', detail: expect.stringContaining('entry 3') as string },
    })
  })

  it('goes on as what reading it throws', async () => {
    const imaLog = (async function* () {
      yield ascii(list)
      throw new Error('the connection broke')
    })()
    await expect(inspectTpm({ ...testEvidence(), imaLog })).rejects.toThrow('the connection broke')
  })
})

describe('a structure by itself', () => {
  const area = publicArea(TEST_AKS.p256.publicKey, TEST_AKS.p256.scheme)
  const { quote } = testQuote()
  it.each<[string, Uint8Array, object]>([
    ['an attestation', quote, { quotes: [{ form: 'TPMS_ATTEST', type: 'quote', signature: null, pcr_values: [], pcrs_missing: [] }] }],
    ['an attestation with its length', tpm2b(quote), { quotes: [{ form: 'TPM2B_ATTEST' }] }],
    ['a public area', area, { ak_public: { form: 'TPMT_PUBLIC', name: akNameOf(testEvidence()) } }],
    ['a public area with its length', tpm2b(area), { ak_public: { form: 'TPM2B_PUBLIC' } }],
    ['an RSA key', publicArea(TEST_AKS.rsassa.publicKey, TEST_AKS.rsassa.scheme), { ak_public: { key: { type: 'rsa' } } }],
    ['an event log', bootLog(HOST), { event_log: { trusted: false, events: HOST.length } }],
  ])('is told for what it is: %s', (_, bytes, expected) => {
    expect(inspectStructure(bytes)).toMatchObject({ type: 'tpm', verified: false, checks: [], ...expected })
  })

  it.each<[string, Uint8Array, string]>([
    ['an attestation', joined(quote, uint(8, 0)), 'tpm-attest-trailing-bytes'],
    ['an attestation with another length', joined(tpm2b(quote), uint(8, 0)), 'tpm-attest-magic-invalid'],
    ['a public area', joined(area, uint(8, 0)), 'tpm-ak-public-malformed'],
    ['a public area with another length', joined(tpm2b(area), uint(8, 0)), 'tpm-ak-public-malformed'],
    ['an event log', bootLog(HOST).subarray(0, 100), 'tpm-eventlog-malformed'],
  ])('is refused where it is broken: %s', (_, bytes, code) => {
    expect(() => inspectStructure(bytes)).toThrow(expect.objectContaining({ code }))
  })

  it.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['zeros', new Uint8Array(1184)],
    ['a public area of a sealed object', joined(uint(16, 0x0008), area.subarray(2))],
    ['a key with a name of an unknown hash', joined(area.subarray(0, 2), uint(16, 0x0012), area.subarray(4))],
  ])('is none: %s', (_, bytes) => expect(inspectStructure(bytes)).toBeUndefined())
})
