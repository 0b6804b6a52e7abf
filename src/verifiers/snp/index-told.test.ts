import { createHash, createPublicKey } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { attempt, contextAt, type Outcome } from '../../../test/snp-in-process.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { signedReport, type ReportFields } from '../../simulator/report.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { anchorsOf } from '../anchors.ts'
import type { Anchors, CollateralAddress, Context, SnpEvidence } from '../verifier.ts'
import { crlAddress, vcekAddress, type AmdEndpoint } from './address.ts'
import { snp } from './index.ts'

const NOW = new Date('2026-11-24T00:00:00Z')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

let amd: FakeAmd
let anchors: Anchors
let milan: FakeVek
let vlek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now: NOW, products: ['Milan'] })
  anchors = anchorsOf(amd.anchors())
  milan = amd.vcek({ product: 'Milan' })
  vlek = amd.vlek({ product: 'Milan' })
})

const evidenceBy = (vek: FakeVek, fields: Partial<ReportFields> = {}, certificates = [vek.der]): SnpEvidence => ({
  type: 'snp',
  form: 'report',
  bytes: signedReport(vek, fields),
  certificates,
})
const judged = (evidence: SnpEvidence, context: Partial<Context> = {}, endpoints: readonly AmdEndpoint[] = []): Promise<Outcome> => {
  const documents = new Map<CollateralAddress, Uint8Array>(
    endpoints.map((endpoint) => [crlAddress('Milan', endpoint), amd.crl({ product: 'Milan', endpoint })]),
  )
  return attempt(evidence, { anchors, collateral: { documents, missing: new Map(), marks: new Map() }, context: contextAt(NOW, context) })
}
/** `id outcome actual` of the last checks. */
const last = ({ checks }: Outcome, count: number): readonly string[] =>
  checks.slice(-count).map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
/** SHA-256 of a key, as claims name it. */
const keyOf = ({ privateKey }: FakeVek): string =>
  createHash('sha256')
    .update(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }))
    .digest('hex')

describe('signature and binding say what was looked at', () => {
  const reportData = new Uint8Array(64).fill(7)

  it('where both are right', async () => {
    expect(last(await judged(evidenceBy(milan, { reportData }), { reportData }), 3)).toEqual([
      `SNP-50 pass verified with endorsement key ${keyOf(milan)}`,
      'SNP-61 pass 64 bytes',
      `SNP-60 pass ${hex(reportData)}`,
    ])
  })

  it('where nobody asks for a binding', async () => {
    expect(last(await judged(evidenceBy(milan)), 2)).toEqual(['SNP-61 skip not asked', 'SNP-60 skip not asked'])
  })

  it('where the binding has another length', async () => {
    expect(last(await judged(evidenceBy(milan), { reportData: new Uint8Array(63) }), 1)).toEqual(['SNP-61 fail 63 bytes'])
  })

  it('where the signature is another’s, behind which nothing is looked at', async () => {
    const outcome = await judged(evidenceBy(milan, { reportData, tamper: [[0x90, Uint8Array.of(1)]] }), { reportData })
    expect(last(outcome, 1)).toEqual([`SNP-50 fail does not verify with endorsement key ${keyOf(milan)}`])
  })
})

describe('the checks of a report', () => {
  it.each([2, 5])('of version %i read its TCBs once', async (version) => {
    const { checks } = await judged(evidenceBy(milan, { version }))
    expect(checks.filter(({ id }) => id === 'SNP-11').map(({ actual }) => actual)).toEqual([
      'REPORTED_TCB bootloader 4, tee 0, snp 24, microcode 219',
    ])
  })
})

describe('the claims of a report', () => {
  it('say that revocation was checked only where both lists were', async () => {
    const both = ['vcek', 'vlek'] as const
    const outcomes = await Promise.all(
      [both, both.slice(0, 1), both.slice(1), []].map((endpoints) => judged(evidenceBy(milan), {}, endpoints)),
    )
    expect(outcomes.map(({ finding }) => finding?.claims?.snp?.revocation)).toEqual([
      'checked',
      'not-checked',
      'not-checked',
      'not-checked',
    ])
  })

  it('name key and chip of a VCEK, key and provider of a VLEK', async () => {
    const [byVcek, byVlek] = await Promise.all([judged(evidenceBy(milan)), judged(evidenceBy(vlek))])
    expect(byVcek.finding?.claims?.snp?.vek).toEqual({
      kind: 'vcek',
      product_name: 'Milan-B0',
      spki_sha256: keyOf(milan),
      hwid: hex(milan.hwid),
      csp_id: null,
      not_before: '2026-11-23T00:00:00.000Z',
      not_after: '2033-11-23T18:00:00.000Z',
    })
    expect(byVlek.finding?.claims?.snp?.vek).toMatchObject({
      kind: 'vlek',
      product_name: 'Milan',
      spki_sha256: keyOf(vlek),
      hwid: null,
      csp_id: vlek.cspId,
    })
  })

  it('hold mitigation vectors from version 4 on', async () => {
    const vectors = { launchMitVector: 0xbn, currentMitVector: 0x80000000000000ffn }
    const [three, four] = await Promise.all([3, 4].map((version) => judged(evidenceBy(milan, { version, ...vectors }))))
    expect(three?.finding?.claims?.snp).toMatchObject({ launch_mit_vector: null, current_mit_vector: null })
    expect(four?.finding?.claims?.snp).toMatchObject({ launch_mit_vector: '0x000000000000000b', current_mit_vector: '0x80000000000000ff' })
  })
})

describe('what evidence needs and offers', () => {
  it('offers a lone certificate whatever it is, since verification will say', async () => {
    const ask = amd.intermediate('Milan', 'ask')
    const { needs, offers } = await snp(evidenceBy(milan, {}, [ask]), anchors)
    expect(needs).toEqual([crlAddress('Milan', 'vcek'), crlAddress('Milan', 'vlek')])
    expect([...offers]).toEqual([[vcekAddress('Milan', hex(milan.hwid), milan.tcb), ask]])
  })

  it('finds the product of version 2 behind certificates that name none', async () => {
    const evidence = evidenceBy(milan, { version: 2 }, [amd.root('Milan'), amd.intermediate('Milan', 'ask'), milan.der])
    expect((await snp(evidence, anchors)).needs).toEqual([crlAddress('Milan', 'vcek'), crlAddress('Milan', 'vlek')])
  })
})
