import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assay, assayProcess, tempFiles, type Files, type Ran } from '../../test/cli.ts'
import { snpCases } from '../../test/snp-cases.ts'
import { vectorsPresent } from '../../test/vectors.ts'
import { fakeAmd, type FakeAmd } from '../simulator/amd.ts'
import { attestRequest, type AttestOptions } from '../simulator/attest.ts'
import { collateralBundle } from '../simulator/bundle.ts'
import { fakeHost } from '../simulator/hosts.ts'
import { SIM_MEASUREMENT } from '../simulator/report.ts'

const NONCE = new Uint8Array(32).fill(9)
const nonce = Buffer.from(NONCE).toString('hex')

let amd: FakeAmd
let files: Files
let trust: readonly string[]
let policy: string

beforeAll(async () => {
  amd = await fakeAmd()
  files = tempFiles()
  const roots = amd.products.map((product) => files.write(`ark-${product}.der`, amd.root(product)))
  trust = [
    '--offline',
    '--collateral',
    files.write('bundle.json', collateralBundle(amd)),
    ...roots.flatMap((root) => ['--insecure-test-root', root]),
  ]
  policy = files.write('policy.yaml', `name: mine\nsnp: {measurements: [${Buffer.from(SIM_MEASUREMENT).toString('hex')}]}\n`)
})
afterAll(() => files.remove())

const request = (options: Omit<AttestOptions, 'url'> = {}) => attestRequest(fakeHost(amd), NONCE, options)
const item = () => fakeHost(amd).evidence(new Uint8Array(64))

type Answer = {
  accepted: boolean
  code: string | null
  status: string
  question: string
  nonce: string
  mode: string
  evidence: { checks: { id: string; outcome: string }[] }[]
}

async function verify(evidence: unknown, ...args: readonly string[]): Promise<Ran & { answer: Answer }> {
  const ran = await assay(['verify', files.write('evidence.json', evidence), '--json', ...trust, ...args])
  return { ...ran, answer: ran.out === '' ? ({} as Answer) : (JSON.parse(ran.out) as Answer) }
}

const outcomeOf = ({ answer }: { answer: Answer }, id: string) => answer.evidence[0]?.checks.find((check) => check.id === id)?.outcome

describe('a request', () => {
  it('is accepted under a policy when it binds the nonce and a key', async () => {
    const ran = await verify(request(), '--nonce', nonce, '--policy', policy)
    expect(ran.code).toBe(0)
    expect(ran.answer).toMatchObject({
      accepted: true,
      code: null,
      status: 'affirming',
      question: 'acceptable',
      nonce: 'checked',
      mode: 'test',
    })
    expect(outcomeOf(ran, 'SNP-60')).toBe('pass')
    expect(outcomeOf(ran, 'KEY')).toBe('pass')
  })

  it('with its own nonce shows binding, but never freshness', async () => {
    const ran = await verify(request())
    expect(ran.answer).toMatchObject({ accepted: true, nonce: 'not-asked', status: 'none' })
    expect(outcomeOf(ran, 'SNP-60')).toBe('pass')
    expect(ran.err).toContain('freshness is not')
  })

  it.each([
    ['another nonce', {}, ['--nonce', '00'.repeat(32)], 'cnf-proof-invalid'],
    ['another nonce without a key', { key: 'none' }, ['--nonce', '00'.repeat(32)], 'snp-report-data-mismatch'],
    ['no key where the policy wants one', { key: 'none' }, ['--nonce', nonce, '--policy', 'POLICY'], 'cnf-key-required'],
  ] as const)('is refused with %s', async (...[, options, args, code]) => {
    const ran = await verify(request(options), ...args.map((arg) => (arg === 'POLICY' ? policy : arg)))
    expect(ran.code).toBe(1)
    expect(ran.answer).toMatchObject({ accepted: false, code })
  })

  it.each([
    ['runtime data changed', { runtime_data: 'YWJj' }, 'cnf-proof-invalid'],
    ['a proof that is missing', { cnf_proof: undefined }, 'cnf-proof-invalid'],
    ['a private key', { cnf_jwk: { kty: 'EC', crv: 'P-256', x: 'AA', y: 'AA', d: 'AA' } }, 'cnf-key-invalid'],
    ['binding "nonce" with a key', { binding: 'nonce' }, 'binding-invalid'],
    ['an audience changed', { audience: 'elsewhere' }, 'cnf-proof-invalid'],
  ])('is refused with %s', async (_, change, code) => {
    const ran = await verify({ ...request(), ...change }, '--nonce', nonce)
    expect(ran.answer).toMatchObject({ accepted: false, code })
    expect(ran.code).toBe(1)
  })

  it('with two items is refused as a composition', async () => {
    const ran = await verify({ evidence: [item(), item()] })
    expect([ran.code, ran.answer.code]).toEqual([1, 'composition-unsupported'])
  })
})

describe('an item', () => {
  it('is accepted as genuine, with what was not asked on standard error', async () => {
    const { code, err, answer } = await verify(item())
    expect(code).toBe(0)
    expect(answer).toMatchObject({ accepted: true, question: 'genuine', nonce: 'not-asked', status: 'none', policy: null })
    expect(err).toMatch(/no --policy[^]*no --nonce/)
    expect(err).toContain('WARNING: --insecure-test-root')
  })

  it('is fresh when it binds the nonce that was given', async () => {
    const bound = fakeHost(amd).evidence(Buffer.concat([NONCE, new Uint8Array(32)]))
    expect((await verify(bound, '--nonce', nonce, '--binding', 'nonce')).answer).toMatchObject({ accepted: true, nonce: 'checked' })
    expect((await verify(bound, '--nonce', nonce)).answer.code).toBe('snp-report-data-mismatch')
  })

  it.each([
    ['shorter', '00'.repeat(63)],
    ['longer', '00'.repeat(65)],
  ])('is refused with report data that is %s than its field', async (_, data) => {
    const ran = await verify(item(), '--report-data', data)
    expect([ran.code, ran.answer.code]).toEqual([1, 'snp-report-data-profile-invalid'])
  })

  it.each([
    ['empty', ''],
    ['one byte', 'AA=='],
    ['1185 bytes', Buffer.alloc(1185).toString('base64')],
  ])('whose report is %s is refused by its own code, not as a wrong file', async (_, report) => {
    const ran = await verify({ type: 'snp', report })
    expect([ran.code, ran.answer.code, ran.answer.accepted]).toEqual([1, 'snp-report-size', false])
  })

  it.each([
    ['an object', { version: 5, policy: 196608 }],
    ['JSON in base64', Buffer.from('{"version": 5}').toString('base64')],
  ])('whose report is a parsed one, %s, is refused by its own code', async (_, report) => {
    const ran = await verify({ type: 'snp', report })
    expect([ran.code, ran.answer.code, ran.answer.accepted]).toEqual([1, 'snp-envelope-not-raw', false])
  })

  it('of a type that nobody verifies is refused', async () => {
    const { code, err, answer } = await verify({ type: 'nitro', document: '' })
    expect([code, answer]).toMatchObject([1, { accepted: false, code: 'evidence-type-unsupported' }])
    expect(err).toContain('evidence-type-unsupported')
  })

  it('without a certificate is undecided offline, and says so', async () => {
    const bare = fakeHost(amd, { ships: 'nothing' }).evidence(new Uint8Array(64))
    const ran = await verify(bare)
    expect([ran.code, ran.answer.code]).toEqual([3, 'collateral-unavailable'])
  })

  it('without a certificate is accepted when a bundle has it', async () => {
    const host = fakeHost(amd, { ships: 'nothing' })
    const ran = await verify(host.evidence(new Uint8Array(64)), '--collateral', files.write('more.json', collateralBundle(amd, [host.vek])))
    expect(ran.code).toBe(0)
  })

  it('of the simulator is not genuine without its roots', async () => {
    const { code, out } = await assay(['verify', files.write('evidence.json', item()), '--json', '--offline'])
    expect([code, JSON.parse(out)]).toMatchObject([1, { accepted: false, mode: 'production', code: 'snp-root-untrusted' }])
  })

  it('is drawn for people with the failed check and its values', async () => {
    const forged = fakeHost(amd, { fields: { tamper: [[0x90, new Uint8Array(48)]] } }).evidence(new Uint8Array(64))
    const { code, out } = await assay(['verify', files.write('evidence.json', forged), ...trust])
    expect(code).toBe(1)
    expect(out).toMatch(/REFUSED {2}snp-signature-invalid[^]*SNP-50[^]*expected[^]*actual/)
  })

  it('is read from standard input', () => {
    const { code, out } = assayProcess(['verify', '-', '--json', ...trust], JSON.stringify(item()))
    expect([code, JSON.parse(out)]).toMatchObject([0, { accepted: true }])
  })
})

describe('wrong usage', () => {
  it.each([
    ['text that is no JSON', 'nonsense'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a member twice', '{"type":"snp","report":"","report":""}'],
    ['an unknown member', { type: 'snp', report: '', reports: '' }],
    ['report in two forms', { type: 'snp', report: '', report_response: '' }],
    ['base64 that is not canonical', { type: 'snp', report: 'AB==' }],
    ['no evidence at all', { hello: 'world' }],
    ['a list', [{ type: 'snp', report: '' }]],
    ['a request without items', { evidence: [] }],
    ['an item without a type', { evidence: [{ report: '' }] }],
    ['nesting that is too deep', `${'['.repeat(40)}${']'.repeat(40)}`],
  ])('is %s', async (_, evidence) => {
    const { code, out, err } = await verify(evidence)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('evidence.json')
  })

  it.each([
    ['a file that is not there', ['/nowhere.json']],
    ['an option that does not exist', ['EVIDENCE', '--lenient']],
    ['nonce and report data at once', ['EVIDENCE', '--nonce', nonce, '--report-data', '00'.repeat(64)]],
    ['a nonce of seven bytes', ['EVIDENCE', '--nonce', '00'.repeat(7)]],
    ['report data that is no hex', ['EVIDENCE', '--report-data', 'zz']],
    ['a time that is none', ['EVIDENCE', '--at', 'yesterday']],
    ['a policy that is none', ['EVIDENCE', '--policy', 'BAD']],
    ['a bundle that is none', ['EVIDENCE', '--collateral', 'BAD']],
    ['a root that is none', ['EVIDENCE', '--insecure-test-root', 'BAD']],
    ['no evidence', []],
  ])('is %s', async (_, args) => {
    const names: Record<string, string> = { EVIDENCE: files.write('good.json', item()), BAD: files.write('bad', 'what: ever') }
    const { code, out } = await assay(['verify', ...args.map((arg) => names[arg] ?? arg), '--json', '--offline'])
    expect([code, out]).toEqual([2, ''])
  })

  it('is --binding with a request, which says it itself', async () => {
    expect((await verify(request(), '--nonce', nonce, '--binding', 'nonce')).code).toBe(2)
  })
})

const bare = (vectorsPresent() ? snpCases() : []).find(
  ({ set, expected, evidence, vek, decoded }) =>
    set === 'real' && expected.verdict === 'pass' && evidence.type === 'snp' && vek !== undefined && decoded?.['version'] === 3,
)

/** The command line for real evidence without its certificate. */
const bareArgs = (...more: readonly string[]) => {
  const { at = '', evidence } = bare ?? {}
  return ['verify', files.write('bare.json', { ...evidence, certificates: [] }), '--json', '--at', at, ...more]
}

describe.skipIf(bare === undefined)('with the vendor at hand', () => {
  let kds: Server
  let asked: string[] = []
  const environment = () => ({
    ASSAY_AMD_KDS_URL: `http://127.0.0.1:${(kds.address() as AddressInfo).port}`,
    ASSAY_AMD_KDS_TRANSPORT: 'DANGEROUSLY_PLAIN_HTTP',
  })
  beforeAll(async () => {
    kds = createServer(({ url = '' }, response) => {
      asked.push(url)
      if (url.startsWith('/vcek/v1/') && url.includes('blSPL=')) response.end(Buffer.from(bare?.vek ?? '', 'base64'))
      else response.writeHead(404).end()
    })
    await new Promise<void>((done) => kds.listen(0, '127.0.0.1', done))
  })
  afterAll(() => kds.close())

  it('fetches the VCEK that no file holds', async () => {
    asked = []
    const { code, out } = await assay(bareArgs(), environment())
    expect([code, JSON.parse(out)]).toMatchObject([0, { accepted: true, mode: 'production' }])
    expect(asked).toHaveLength(3)
  })

  it('opens no socket offline', async () => {
    asked = []
    const { code, out } = await assay(bareArgs('--offline'), environment())
    expect([code, JSON.parse(out)]).toMatchObject([3, { code: 'collateral-unavailable' }])
    expect(asked).toEqual([])
  })

  it('asks no vendor about what a test root would have to prove', async () => {
    asked = []
    const root = files.write('ark.der', amd.root('Milan'))
    const { code } = await assay(bareArgs('--insecure-test-root', root), environment())
    expect([code, asked]).toEqual([3, []])
  })
})
