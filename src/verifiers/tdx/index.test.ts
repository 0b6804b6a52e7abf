import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { contextAt, freshMemo } from '../../../test/snp-in-process.ts'
import { fakeIntel, intelCollateral } from '../../simulator/intel.ts'
import { fakeSgxHost, fakeTdxHost, type QuoteChanges } from '../../simulator/intel-hosts.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { pointOf, rawSignature } from '../../simulator/qe.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import { verify } from '../registry.ts'
import type { Anchors, Collateral, Context, Finding, Reading, SgxEvidence, TdxEvidence, Unverified } from '../verifier.ts'

const now = new Date('2026-11-24T12:00:00Z')
const intel = fakeIntel({ now })
const anchors = anchorsOf([], intel.anchors())
const data = new Uint8Array(64).fill(7)
const host = fakeTdxHost(intel)
const enclave = fakeSgxHost(intel, { pck: { ca: 'processor' } })

const tdxOf = (changes: QuoteChanges = {}, more: Partial<TdxEvidence> = {}): TdxEvidence => ({
  type: 'tdx',
  quote: host.quote(data, changes),
  certificates: [],
  ...more,
})
const sgxOf = (changes: QuoteChanges = {}): SgxEvidence => ({ type: 'sgx', quote: enclave.quote(data, changes), certificates: [] })

const none: Collateral = { documents: new Map(), missing: new Map(), marks: new Map() }
const all = (tee: 'tdx' | 'sgx'): Collateral => ({
  ...none,
  documents: intelCollateral(intel, { tee, ca: tee === 'tdx' ? 'platform' : 'processor' }),
})

type Trial = {
  readonly anchors?: Anchors
  /** `nothing`: the caller hands in neither mode nor memo. */
  readonly reading?: Reading | 'nothing'
  readonly context?: Partial<Context>
  readonly collateral?: Collateral
}
const readIn = (mode: Reading['mode'] = 'test'): Reading => ({ mode, memo: freshMemo() })

async function read(evidence: TdxEvidence | SgxEvidence, trial: Trial = {}): Promise<Unverified> {
  const reading = trial.reading ?? readIn()
  const scope = [trial.anchors ?? anchors, ...(reading === 'nothing' ? [] : [reading])] as const
  return evidence.type === 'tdx' ? verify(evidence, ...scope) : verify(evidence, ...scope)
}

const finding = async (evidence: TdxEvidence | SgxEvidence, trial: Trial = {}): Promise<Finding> =>
  (await read(evidence, trial)).verify(trial.collateral ?? all(evidence.type), contextAt(now, trial.context))

const failures = ({ checks }: Finding): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
const outcomeOf = ({ checks }: Finding, id: string): readonly string[] =>
  checks.filter((check) => check.id === id).map(({ outcome }) => outcome)

describe('a genuine quote', () => {
  it('of a TD is accepted, and every check of TDX-01 to 60 told', async () => {
    const accepted = await finding(tdxOf())
    expect(failures(accepted)).toEqual([])
    expect(accepted.claims?.tdx?.tcb.status).toBe('UpToDate')
    expect(accepted.claims?.sgx).toBeUndefined()
    const ids = new Set(accepted.checks.map(({ id }) => id))
    const expected = Array.from({ length: 60 }, (_, index) => `TDX-${String(index + 1).padStart(2, '0')}`)
    expect(expected.filter((id) => !ids.has(id))).toEqual([])
  })

  it('of an enclave is accepted', async () => {
    const accepted = await finding(sgxOf())
    expect(failures(accepted)).toEqual([])
    expect(accepted.claims?.sgx).toMatchObject({ quote_version: 3, report_data: hex(data), tcb: { status: 'UpToDate' } })
    expect(accepted.claims?.tdx).toBeUndefined()
  })

  it('needs lists, TCB info and QE identity of its platform, and would like the early ones', async () => {
    const fmspc = hex(host.pck.fields.fmspc)
    const { needs, wants, offers } = await read(tdxOf())
    expect(needs).toEqual([
      'intel/root-ca-crl',
      'intel/pck-crl/platform',
      `intel/tcb-info/tdx/${fmspc}/standard`,
      'intel/qe-identity/tdx/standard',
    ])
    expect(wants).toEqual([`intel/tcb-info/tdx/${fmspc}/early`, 'intel/qe-identity/tdx/early'])
    expect(offers.size).toBe(0)
    expect((await read(sgxOf())).needs).toEqual([
      'intel/root-ca-crl',
      'intel/pck-crl/processor',
      `intel/tcb-info/sgx/${fmspc}/standard`,
      'intel/qe-identity/sgx/standard',
    ])
  })

  it('may have authentication data of any length', async () => {
    for (const length of [0, 100]) {
      expect(failures(await finding(tdxOf({ qe: { authData: new Uint8Array(length) } })))).toEqual([])
    }
  })

  it('may name its PCK by type 4 with the chain beside it', async () => {
    const evidence = tdxOf({ certification: 4 }, { certificates: host.pck.chain })
    expect(failures(await finding(evidence))).toEqual([])
    const foreign = tdxOf({ certification: 4 }, { certificates: intel.pck().chain })
    expect(failures(await finding(foreign))).toEqual(['TDX-44 tdx-qe-report-invalid-signature'])
  })

  it('without collateral is undecided', async () => {
    const result = await finding(tdxOf(), { collateral: none })
    expect([result.undecided, result.claims]).toEqual(['collateral-unavailable', undefined])
  })

  it('is good no longer than its PCK certificate', async () => {
    const notAfter = new Date(now.getTime() + 60_000)
    const short = fakeTdxHost(intel, { pck: { overrides: { notAfter } } })
    const accepted = await finding({ ...tdxOf(), quote: short.quote(data) })
    expect(accepted.validUntil).toEqual(notAfter)
  })

  it('has claims of what the platform and its quoting enclave are', async () => {
    const { tdx } = (await finding(tdxOf())).claims ?? {}
    const { fields } = host.pck
    expect(tdx?.platform).toMatchObject({
      ppid: hex(fields.ppid),
      sgx_tcb_components: fields.components,
      pck_ca: 'platform',
      sgx_type: 'Scalable',
      dynamic_platform: true,
      cached_keys: false,
      smt_enabled: true,
    })
    expect(tdx?.qe).toMatchObject({ isv_prod_id: 2, qe_id: 'a0a1a2a3a4a5a6a7a8a9aaabacadaeaf' })
  })

  it('has fields of TD 1.5-Ex where its body has them', async () => {
    const extended = fakeTdxHost(intel, { body: 'td-report-1.5-ex', fields: { td: { vmid: 2, tdId: new Uint8Array(32).fill(5) } } })
    const { claims } = await finding({ ...tdxOf(), quote: extended.quote(data) })
    expect(claims?.tdx).toMatchObject({ quote_version: 5, body_type: 'td-report-1.5-ex', vmid: 2, td_id: '05'.repeat(32) })
    expect((await finding(tdxOf())).claims?.tdx).toMatchObject({ quote_version: 4, body_type: 'td-report-1.0', vmid: null, td_id: null })
  })

  it('says whether MRCONFIGID binds the initdata that came along', async () => {
    const initdata = Buffer.from('initdata')
    const bindingOf = async (changes: QuoteChanges) => (await finding(tdxOf(changes, { initdata }))).claims?.tdx?.initdata?.binding
    expect(await bindingOf({})).toBe('none')
    expect(await bindingOf({ td: { mrConfigId: createHash('sha384').update(initdata).digest() } })).toBe('sha384')
    expect((await finding(tdxOf())).claims?.tdx).toMatchObject({ initdata: null, event_log: null })
  })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const flipped = (bytes: Uint8Array, at: number): Uint8Array => bytes.with(at, (bytes[at] ?? 0) ^ 1)
const stranger = p256Keys()
const zeros = (count: number): Uint8Array => new Uint8Array(count)
const point = (key: typeof stranger) => pointOf(key.publicKey)

const SIGNATURE = 'TDX-52 tdx-quote-invalid-signature'
const BINDING = 'TDX-45 tdx-qe-report-data-mismatch'
const QE_SIGNATURE = 'TDX-44 tdx-qe-report-invalid-signature'
const KEY = 'TDX-46 tdx-attestation-key-invalid'

/** Made after the quoting enclave was endorsed: its own report as it was, another key. */
const replacedKey = (): QuoteChanges => {
  const quote = host.quote(data)
  return { attestationKey: point(stranger), quoteSignature: rawSignature(stranger.privateKey, quote.subarray(0, 632)) }
}

const halfBound = (): Uint8Array => {
  const reportData = host.qe.report.slice(320)
  return reportData.fill(1, 32)
}

describe('a quote that is not proven', () => {
  it.each([
    ['a bit of MRTD over', SIGNATURE, { tamper: [[184, Uint8Array.of(0xff)]] }],
    ['a bit of REPORTDATA over', SIGNATURE, { tamper: [[568, Uint8Array.of(0xff)]] }],
    ['a bit of the header over', SIGNATURE, { tamper: [[28, Uint8Array.of(0xff)]] }],
    ['a signature of zeros', SIGNATURE, { quoteSignature: zeros(64) }],
    ['a signature of another key', SIGNATURE, { quoteSignature: rawSignature(stranger.privateKey, host.quote(data).subarray(0, 632)) }],
    ['another attestation key', BINDING, replacedKey()],
    ['a bit of the QE authentication data over', BINDING, { tamper: [[1220, Uint8Array.of(0xff)]] }],
    [
      'the last of many bytes of QE authentication data over',
      BINDING,
      { qe: { authData: zeros(100) }, tamper: [[1319, Uint8Array.of(1)]] },
    ],
    ['a QE report that binds nothing', BINDING, { qe: { report: { reportData: zeros(64) } } }],
    ['a binding with more behind it', BINDING, { qe: { keys: host.qe.keys, report: { reportData: halfBound() } } }],
    ['a changed QE report', QE_SIGNATURE, { qeReport: flipped(host.qe.report, 0) }],
    ['a QE report signed by zeros', QE_SIGNATURE, { qeReportSignature: zeros(64) }],
    ['a QE report of another platform', QE_SIGNATURE, { qe: { signWith: intel.pck().privateKey } }],
    ['an attestation key off the curve', KEY, { attestationKey: flipped(host.qe.point, 63) }],
    ['an attestation key of zeros', KEY, { attestationKey: zeros(64) }],
  ] as readonly (readonly [string, string, QuoteChanges])[])(
    'for %s is refused before anything is fetched (%s)',
    async (_, code, changes) => {
      const { needs, wants } = await read(tdxOf(changes))
      expect([needs, wants]).toEqual([[], undefined])
      const refused = await finding(tdxOf(changes))
      expect(failures(refused)).toEqual([code])
      expect([refused.claims, refused.undecided]).toEqual([undefined, undefined])
    },
  )

  it('for its chain is refused before anything is fetched', async () => {
    const trial = { anchors: pinnedAnchors }
    expect((await read(tdxOf(), trial)).needs).toEqual([])
    const refused = await finding(tdxOf(), trial)
    expect(failures(refused)).toEqual(['TDX-20 tdx-root-ca-untrusted'])
    expect(['TDX-44', 'TDX-45', 'TDX-46', 'TDX-52'].map((id) => outcomeOf(refused, id))).toEqual(Array.from({ length: 4 }, () => ['skip']))
  })

  it('for its PEM makes no sense', async () => {
    const evidence = tdxOf({ certification: { type: 5, data: new Uint8Array(300) } })
    const error = await read(evidence).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ code: 'tdx-pck-chain-malformed' })
    expect(error).toHaveProperty('checks.0.id', 'TDX-01')
  })
})

describe('dates (TDX-30)', () => {
  it.each([
    ['expired', { notAfter: new Date(now.getTime() - 1000) }, 'TDX-30 tdx-certificate-expired'],
    ['not yet valid', { notBefore: new Date(now.getTime() + 1000) }, 'TDX-30 tdx-certificate-not-yet-valid'],
  ])('refuse a PCK certificate that is %s, and no tolerance helps', async (_, overrides, code) => {
    const dated = fakeTdxHost(intel, { pck: { overrides } })
    const lax = { collateralGraceSeconds: 3600, skewSeconds: 300, replayedRtmrs: [] }
    const rigour = { ...contextAt(now).rigour, tdx: lax }
    expect(failures(await finding({ ...tdxOf(), quote: dated.quote(data) }, { context: { rigour } }))).toEqual([code])
  })

  it('leave nothing undecided', async () => {
    const dated = fakeTdxHost(intel, { pck: { overrides: { notAfter: new Date(now.getTime() - 1000) } } })
    expect((await finding({ ...tdxOf(), quote: dated.quote(data) }, { collateral: none })).undecided).toBeUndefined()
  })

  it('are judged before the proof of the quote', async () => {
    const dated = fakeTdxHost(intel, { pck: { overrides: { notAfter: new Date(now.getTime() - 1000) } } })
    const refused = await finding({ ...tdxOf(), quote: dated.quote(data, { quoteSignature: zeros(64) }) })
    expect(failures(refused)).toEqual(['TDX-30 tdx-certificate-expired', SIGNATURE])
  })
})

describe('REPORTDATA (TDX-79)', () => {
  it.each([
    ['is not asked', undefined, 'skip'],
    ['equals', data, 'pass'],
    ['differs in the last byte', flipped(data, 63), 'fail'],
    ['is shorter', data.subarray(0, 32), 'fail'],
    ['is longer', new Uint8Array(65).fill(7), 'fail'],
  ] as const)('that %s', async (_, reportData, outcome) => {
    const result = await finding(tdxOf(), { context: { reportData } })
    expect(failures(result)).toEqual(outcome === 'fail' ? ['TDX-79 tdx-report-data-mismatch'] : [])
    expect(outcomeOf(result, 'TDX-79')).toEqual([outcome])
    expect(result.claims === undefined).toBe(outcome === 'fail')
  })

  it('of an enclave is compared, too', async () => {
    const refused = await finding(sgxOf(), { context: { reportData: flipped(data, 0) } })
    expect(failures(refused)).toEqual(['TDX-79 tdx-report-data-mismatch'])
  })
})

/** Mode and memo, and what is put into the memo from then on. */
const counted = (reading: Reading) => {
  const { pck, qe } = reading.memo.tdx
  const kept: string[] = []
  const memo = {
    ...reading.memo,
    tdx: {
      ...reading.memo.tdx,
      pck: { get: pck.get, set: (key: string, fact: Parameters<typeof pck.set>[1]) => (kept.push(`pck ${key}`), pck.set(key, fact)) },
      qe: { get: qe.get, set: (key: string, fact: Parameters<typeof qe.set>[1]) => (kept.push(`qe ${key}`), qe.set(key, fact)) },
    },
  }
  return { reading: { ...reading, memo }, kept }
}

/** What the quoting enclave of the host would put around the signed region of a quote. */
const endorsementOf = (quote: Uint8Array): QuoteChanges => ({
  qeReport: host.qe.report,
  qeReportSignature: host.qe.reportSignature,
  attestationKey: host.qe.point,
  quoteSignature: rawSignature(host.qe.keys.privateKey, quote.subarray(0, 632)),
})

describe('what is remembered', () => {
  it('is the chain and the quoting enclave once, whatever is quoted', async () => {
    const { reading, kept } = counted(readIn())
    await finding(tdxOf(), { reading })
    await finding({ ...tdxOf(), quote: host.quote(new Uint8Array(64)) }, { reading })
    expect(kept.map((key) => key.split(' ')[0])).toEqual(['pck', 'qe'])
  })

  it('is nothing that failed', async () => {
    const { reading, kept } = counted(readIn())
    await finding(tdxOf({ qeReportSignature: zeros(64) }), { reading })
    expect(kept.map((key) => key.split(' ')[0])).toEqual(['pck'])
    await finding(tdxOf(), { reading, anchors: pinnedAnchors })
    expect(kept).toHaveLength(1)
  })

  it('vouches for no other key, report, data or mode', async () => {
    const reading = readIn()
    expect(failures(await finding(tdxOf(), { reading }))).toEqual([])
    expect(failures(await finding(tdxOf(replacedKey()), { reading }))).toEqual([BINDING])
    expect(failures(await finding(tdxOf({ qeReport: flipped(host.qe.report, 0) }), { reading }))).toEqual([QE_SIGNATURE])
    expect(failures(await finding(tdxOf({ qeReportSignature: zeros(64) }), { reading }))).toEqual([QE_SIGNATURE])
    expect(failures(await finding(tdxOf({ tamper: [[1220, Uint8Array.of(0xff)]] }), { reading }))).toEqual([BINDING])
    // The quoting enclave of one platform under the certificate of another.
    const elsewhere = fakeTdxHost(intel)
    const transplanted = elsewhere.quote(data, endorsementOf(elsewhere.quote(data)))
    expect(failures(await finding({ ...tdxOf(), quote: transplanted }, { reading }))).toEqual([QE_SIGNATURE])
    const production = { ...reading, mode: 'production' } as const
    const refused = await finding(tdxOf(), { reading: production, context: { mode: 'production', memo: reading.memo } })
    expect(failures(refused)).toEqual(['TDX-20 tdx-root-ca-untrusted'])
  })

  it('is not needed: without mode and memo everything is proven in verify', async () => {
    expect(failures(await finding(tdxOf(), { reading: 'nothing' }))).toEqual([])
    const refused = await finding(tdxOf(), { reading: 'nothing', context: { mode: 'production' } })
    expect(failures(refused)).toEqual(['TDX-20 tdx-root-ca-untrusted'])
    // Read in one mode, asked in another.
    expect(failures(await finding(tdxOf(), { context: { mode: 'production' } }))).toEqual(['TDX-20 tdx-root-ca-untrusted'])
  })
})
