import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import type { Fetched } from '../src/collateral/source.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { attest, type AttestAnswer } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { fakeTdxHost, type TdxHostOptions } from '../src/simulator/intel-hosts.ts'
import { platformAt } from '../src/simulator/intel-levels.ts'
import { fakeIntel, type FakeIntel } from '../src/simulator/intel.ts'
import type { ReportFields } from '../src/simulator/report.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import { SIM_MRTD } from '../src/simulator/td-report.ts'
import { tcbInfoAddress } from '../src/verifiers/tdx/address.ts'
import { writeVendorDocument } from '../src/verifiers/tdx/document.ts'
import { fetchOf, testServices, TOKENS, vendorOf, withIntel, type TestServices } from './services.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const SNP = { measurements: [hex(SIM_MEASUREMENT)] }

/** Policies that are wrong, or that the simulated fleet does not meet; each has an audience of its name. */
const POLICIES = [
  { name: 'patched', snp: { ...SNP, min_tcb: { reported: { milan: { microcode: 255 } } } } },
  { name: 'unknown-set', snp: { measurements: [{ set: 'nodes' }] } },
  { name: 'no-list', tdx: {} },
  { name: 'tdx-only', evidence: ['tdx'], tdx: { mr_td: [hex(SIM_MRTD)] } },
]

let amd: FakeAmd
let intel: FakeIntel
let sound: App
beforeAll(async () => {
  amd = await fakeAmd({ products: ['Milan'] })
  intel = fakeIntel()
  const fixture = await service()
  sound = createApp(fixture.services)
  return fixture.stop
})

/** A service whose vendors answer these addresses in another way. */
const service = (overrides: (address: string) => Fetched | undefined = () => undefined): Promise<TestServices> =>
  testServices({
    amd,
    intel,
    vendor: withIntel(intel, vendorOf(amd, overrides), overrides),
    policies: POLICIES,
    audiences: POLICIES.map(({ name }) => ({
      name,
      policies: [name],
      profile: 'lean',
      alg: 'ES256',
      relyingPartyNonce: 'refuse',
    })),
  })

type Asked = { readonly audience?: string; readonly key?: 'none'; readonly change?: (request: object) => unknown }

/** The target as somebody asks it who may read the policy, or as anybody does. */
const target = (on: App, token?: string) => ({
  url: 'http://assay.test',
  fetch: (url: string, init: RequestInit) =>
    fetchOf(on)(url, {
      ...init,
      headers: { 'content-type': 'application/json', ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    }),
})

type Ask = (token?: string) => Promise<AttestAnswer>
const snp =
  (fields: Partial<ReportFields>, asked: Asked = {}, on = () => sound): Ask =>
  (token) =>
    attest(fakeHost(amd), { ...target(on(), token), ...asked, fields })
const tdx =
  (options: TdxHostOptions, asked: Asked = {}, on = () => sound): Ask =>
  (token) =>
    attest(fakeTdxHost(intel, options), { ...target(on(), token), ...asked })

/** What is wrong, what the answer’s code is, and the sentence that mends it, with the values for those who may see them. */
const SEEDED: readonly (readonly [wrong: string, ask: Ask, code: string, sentence: RegExp])[] = [
  ['a debug guest', snp({ policy: 0xb0000n }), 'snp-policy-debug-allowed', /Start the guest without the DEBUG bit in its policy\.$/],
  [
    'old firmware',
    snp({}, { audience: 'patched' }),
    'snp-tcb-reported-below-minimum',
    /^microcode 0xdb, needs 0xff: Update the host’s firmware, commit it, and start the guest again\.$/,
  ],
  [
    'another image',
    snp({ measurement: randomBytes(48) }),
    'snp-measurement-mismatch',
    /Start what the policy lists, or have the operator add this value to the policy\.$/,
  ],
  [
    'a TD that is not listed',
    tdx({ fields: { td: { mrTd: randomBytes(48) } } }),
    'tdx-mrtd-not-allowed',
    /Start what the policy lists, or have the operator add this value to the policy\.$/,
  ],
  [
    'a policy without a list',
    tdx({}, { audience: 'no-list' }),
    'tdx-mrtd-policy-missing',
    /Operator: list the MRTD values of your images in the policy\.$/,
  ],
  [
    'a service TD',
    tdx({ body: 'td-report-1.5', fields: { td: { mrServiceTd: randomBytes(48) } } }),
    'tdx-mrservicetd-not-allowed',
    /Start what the policy lists, or have the operator add this value to the policy\.$/,
  ],
  ['a debug TD', tdx({ fields: { td: { tdAttributes: 0x1000_0001n } } }), 'tdx-td-debug', /Start the TD without DEBUG\.$/],
  [
    'a platform that is out of date',
    tdx({ pck: platformAt('OutOfDate') }),
    'tdx-tcb-status-not-accepted',
    /Have the host’s owner update the platform \(microcode, TDX module\) and start the TD again\.$/,
  ],
  [
    'a key that is not bound',
    snp({}, { key: 'none' }),
    'cnf-key-required',
    /^unbound, needs bound: Send cnf_jwk and cnf_proof, and bind them into the evidence\.$/,
  ],
  [
    'a set of reference values that nobody wrote',
    snp({}, { audience: 'unknown-set' }),
    'snp-measurement-mismatch',
    /Start what the policy lists, or have the operator add this value to the policy\.$/,
  ],
  ['VMPL 1', snp({ vmpl: 1 }), 'snp-vmpl-mismatch', /^1, needs 0: Ask for the report from an accepted VMPL\.$/],
]

const PAGE = readFileSync(resolve(import.meta.dirname, '../docs/refusals.md'), 'utf8')

/** What docs/refusals.md says under "what mends it". */
const mendedBy = (code: string): string | undefined =>
  PAGE.split('\n')
    .find((line) => line.startsWith(`| \`${code}\` |`))
    ?.split(' | ')[4]

const RULE = /^(?:snp|tdx)\.[a-z_.]+$|^key_binding$/

/** The answer, and its check with this code. */
async function answered(ask: Ask, code: string, token?: string) {
  const told = problem.parse((await ask(token)).body)
  const failed = told.checks?.find((check) => check.code === code)
  if (failed === undefined) throw new Error(`${told.code}: no check says ${code}`)
  return { told, failed }
}

describe('the answer to a misconfiguration', () => {
  it.each(SEEDED)('%s: says what mends it', async (...[, ask, code, sentence]) => {
    const { told, failed } = await answered(ask, code, TOKENS.viewer)
    expect([told.code, failed.outcome, failed.remedy]).toEqual([code, 'fail', expect.stringMatching(sentence)])
    expect(failed).toMatchObject({ actual: expect.any(String), expected: expect.any(String), rule: expect.stringMatching(RULE) })
  })

  it.each(SEEDED)('%s: says what to do, and nothing of the policy, to who may not read it', async (...[, ask, code, sentence]) => {
    const { told, failed } = await answered(ask, code)
    expect([told.code, told.remedy, failed.remedy]).toEqual([code, mendedBy(code), mendedBy(code)])
    expect(Object.keys(failed)).not.toContain('expected')
    expect(Object.keys(failed)).not.toContain('rule')
    expect(sentence.source.replaceAll('\\', '').endsWith(`${told.remedy}$`)).toBe(true)
  })

  it('names a set that gives nothing, and its state', async () => {
    const { failed } = await answered(snp({}, { audience: 'unknown-set' }), 'snp-measurement-mismatch', TOKENS.viewer)
    expect(failed.expected).toBe('values of the set nodes (unknown)')
  })
})

/** The same where no check is asked for the policy’s opinion: the answer itself says it. */
describe('the answer where nothing is judged', () => {
  it.each<readonly [wrong: string, ask: Ask, code: string, remedy: RegExp]>([
    ['an audience that nobody configured', snp({}, { audience: 'https://nowhere.example' }), 'audience-not-allowed', /^Name an audience/],
    [
      'a policy of another audience',
      snp({}, { audience: 'default', change: (r) => ({ ...r, policy: 'patched' }) }),
      'audience-not-allowed',
      /^Name/,
    ],
    [
      'evidence for another audience',
      snp({}, { key: 'none', change: (r) => ({ ...r, audience: 'patched' }) }),
      'snp-report-data-mismatch',
      /^Compute REPORT_DATA with `assay bind`/,
    ],
    [
      'evidence that the policy does not take',
      snp({}, { audience: 'tdx-only' }),
      'evidence-type-not-accepted',
      /another policy of the audience/,
    ],
  ])('%s', async (...[, ask, code, remedy]) => {
    const told = problem.parse((await ask()).body)
    expect([told.code, told.remedy]).toEqual([code, expect.stringMatching(remedy)])
  })
})

const down: Fetched = { outcome: 'unavailable', reason: 'down', retryAfter: 7 }
const expired = (): Fetched => ({
  outcome: 'found',
  bytes: writeVendorDocument(intel.tcbInfo({ issueDate: new Date('2026-01-01'), nextUpdate: new Date('2026-02-01') })),
})
const TCB_INFO = tcbInfoAddress('tdx', '00806f050000', 'standard')

describe('the answer without a vendor’s document', () => {
  it.each<
    readonly [wrong: string, answer: (address: string) => Fetched | undefined, ask: (on: () => App) => Ask, code: string, remedy: RegExp]
  >([
    [
      'a revocation list that cannot be had',
      (at) => (at.startsWith('amd/crl/') ? down : undefined),
      (on) => snp({}, {}, on),
      'snp-crl-unavailable',
      /^Operator: refresh the revocation lists/,
    ],
    [
      'TCB info that has expired',
      (at) => (at === TCB_INFO ? expired() : undefined),
      (on) => tdx({}, {}, on),
      'tdx-tcb-info-expired',
      /^Operator: refresh Intel’s collateral/,
    ],
  ])('%s: says who brings it, and when to come back', async (...[, overrides, ask, code, remedy]) => {
    const { services, stop } = await service(overrides)
    const app = createApp(services)
    const answer = await ask(() => app)()
    const told = problem.parse(answer.body)
    const failed = told.checks?.find((check) => check.code === code)
    expect([answer.status, told.code, told.remedy]).toEqual([503, code, expect.stringMatching(remedy)])
    expect(failed?.remedy).toBe(told.remedy)
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
    await stop()
  })
})
