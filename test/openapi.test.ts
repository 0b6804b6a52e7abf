import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { createApp, type App } from '../src/app.ts'
import { problem, problemPageAnswer } from '../src/routes/openapi/answers.ts'
import { contractText } from '../src/routes/openapi/document.ts'
import { OPERATIONS, type Description } from '../src/routes/openapi/operations.ts'
import { ROUTES } from '../src/routes/table.ts'
import { fakeAmd } from '../src/simulator/amd.ts'
import { attestRequest, type Attester, type AttestOptions } from '../src/simulator/attest.ts'
import { bindingKey } from '../src/simulator/binding-keys.ts'
import { bootLog } from '../src/simulator/ccel.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost } from '../src/simulator/intel-hosts.ts'
import { fakeIntel } from '../src/simulator/intel.ts'
import type { ReportFields } from '../src/simulator/report.ts'
import { SIM_BOOT_AUTHORITY } from '../src/simulator/tpm-boot.ts'
import { fakeTpmHost, type FakeTpmHost } from '../src/simulator/tpm-hosts.ts'
import { fakeTpms } from '../src/simulator/tpm.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { isProblemCode, PROBLEM_CODES, statusOf } from '../src/verifiers/problems.ts'
import { accepted, challengeFrom } from './answers.ts'
import { fetchOf, testServices, TOKENS, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'

const ROOT = resolve(import.meta.dirname, '..')
const committed = readFileSync(resolve(ROOT, 'openapi.yaml'), 'utf8')

/** As much of OpenAPI as these tests read. */
const media = z.looseObject({
  examples: z.record(z.string(), z.looseObject({ value: z.unknown().optional(), $ref: z.string().optional() })).optional(),
  example: z.unknown().optional(),
})
const operation = z.looseObject({
  operationId: z.string(),
  security: z.array(z.unknown()),
  requestBody: z.looseObject({ content: z.record(z.string(), media) }).optional(),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), media), headers: z.record(z.string(), z.unknown()) })),
})
const contract = z
  .looseObject({
    openapi: z.string(),
    info: z.looseObject({ version: z.string() }),
    components: z.looseObject({
      schemas: z.record(z.string(), z.looseObject({ enum: z.array(z.string()).optional() })),
      examples: z.record(z.string(), z.looseObject({ value: z.unknown() })),
    }),
    paths: z.record(z.string(), z.record(z.string(), operation)),
  })
  .parse(parse(committed))

type Operation = z.infer<typeof operation>
const operations: [name: string, Operation][] = Object.entries(contract.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, found]): [string, Operation] => [`${method.toUpperCase()} ${path}`, found]),
)
const DESCRIBED = new Map<string, Description>(Object.entries(OPERATIONS))
const described = (name: string): Description => DESCRIBED.get(name) ?? expect.fail(`${name} is not described`)

type Live = {
  readonly host: () => Attester<Partial<ReportFields>>
  readonly audience: string
  readonly key: 'P-256' | 'none'
  readonly options?: Partial<AttestOptions>
}
const { bytes: eventLog, rtmrs } = bootLog()
const logged = { eventLog, fields: { td: { rtmrs } } }
/** Fields of single quotes are not asked for here. */
const intelsHost = ({ evidence }: FakeIntelHost): Attester<Partial<ReportFields>> => ({ evidence: (reportData) => evidence(reportData) })

const tpmHost = ({ binds, evidence }: FakeTpmHost): Attester<Partial<ReportFields>> => ({ binds, evidence: (bound) => evidence(bound) })

/** A policy for hosts with a TPM, and an audience for it. */
const TPM = {
  name: 'tpm',
  key_binding: 'DANGEROUSLY_OPTIONAL',
  tpm: { secure_boot: { enabled: 'require', authorities: [SIM_BOOT_AUTHORITY] } },
} as const
const TPM_AUDIENCE = { name: TPM.name, policies: [TPM.name], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const

/** How the simulator makes what each example of an appraisal shows. */
const LIVE: Readonly<Record<string, Live>> = {
  report: { host: () => fakeHost(amd, { ships: 'certificates' }), audience: 'default', key: 'P-256' },
  certificate_table: {
    host: () => fakeHost(amd, { envelope: 'snp-response' }),
    audience: 'bearer',
    key: 'none',
    options: { runtimeData: Buffer.from('hello') },
  },
  configfs_tsm: { host: () => fakeHost(amd, { envelope: 'tsm' }), audience: 'bearer', key: 'none' },
  tdx_quote: { host: () => intelsHost(fakeTdxHost(intel, logged)), audience: 'default', key: 'P-256' },
  tdx_configfs_tsm: { host: () => intelsHost(fakeTdxHost(intel, { envelope: 'tsm' })), audience: 'bearer', key: 'none' },
  sgx_quote: { host: () => intelsHost(fakeSgxHost(intel, { ships: 'certificates' })), audience: 'bearer', key: 'none' },
  tpm_quote: { host: () => tpmHost(fakeTpmHost(tpms, { certified: 'by-cloud' })), audience: TPM.name, key: 'none' },
  nonce_binding: {
    host: () => fakeHost(amd, { ships: 'certificates' }),
    audience: 'relying-party',
    key: 'none',
    options: { binding: 'nonce', relyingPartyNonce: Buffer.from('some nonce') },
  },
}
function liveOf(title: string): Live {
  const live = LIVE[title]
  if (live === undefined) throw new Error(`${title} has no live counterpart`)
  return live
}
const appraised = Object.entries(described('POST /v1/appraisals').request?.examples ?? {}).map(
  ([title, { value }]): [string, Record<string, unknown>] => [title, z.record(z.string(), z.unknown()).parse(value)],
)

let fixture: TestServices
let app: App
const amd = await fakeAmd({ products: ['Milan'] })
const intel = fakeIntel()
const tpms = fakeTpms()
beforeAll(async () => {
  const anchors = anchorsOf(amd.anchors(), intel.anchors(), tpms.anchors())
  fixture = await testServices({ amd, intel, anchors, policies: [TPM], audiences: [TPM_AUDIENCE] })
  app = createApp(fixture.services)
  return fixture.stop
})

describe('openapi.yaml', () => {
  it('is what the schemas say today (npm run openapi)', () => {
    expect(contractText()).toBe(committed)
  })

  it('is what the service serves', async () => {
    const response = await overSocket(app, '/openapi.yaml')
    expect([response.headers.get('content-type'), await response.text()]).toEqual(['application/yaml', committed])
  })

  it('has the version of the program', () => {
    const { version } = z.looseObject({ version: z.string() }).parse(JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')))
    expect([contract.openapi, contract.info.version]).toEqual(['3.1.0', version])
  })

  it('describes exactly the routes that exist', () => {
    expect(operations.map(([name]) => name).toSorted()).toEqual(ROUTES.map(({ method, path }) => `${method} ${path}`).toSorted())
  })

  it('lists exactly the codes that exist, in rank order', () => {
    expect(contract.components.schemas['ProblemCode']?.enum).toEqual(PROBLEM_CODES)
  })

  it('passes the linter', () => {
    const redocly = resolve(ROOT, 'node_modules/.bin/redocly')
    const output = execFileSync(redocly, ['lint', '--format', 'json', 'openapi.yaml'], {
      cwd: ROOT,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      env: { ...process.env, REDOCLY_TELEMETRY: 'off', REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' },
    })
    expect(z.looseObject({ totals: z.unknown() }).parse(JSON.parse(output)).totals).toEqual({ errors: 0, warnings: 0, ignored: 0 })
  })
})

describe.each(operations)('%s', (name, found) => {
  it('shows an example of each JSON answer, as its schema wants it', () => {
    const { answer } = described(name)
    const content = found.responses[String(answer.status)]?.content ?? {}
    const shown = Object.entries(answer.content).flatMap(([type, { schema }]) => {
      const values = examplesOf(content[type])
      return schema === 'text' ? [] : values.map((value) => schema.safeParse(value).success)
    })
    expect(Object.keys(content)).toEqual(Object.keys(answer.content))
    expect(shown.every(Boolean)).toBe(true)
    expect(shown.length > 0 || Object.values(answer.content).every(({ schema }) => schema === 'text')).toBe(true)
  })

  it('shows each of its problems under its status', () => {
    const shown = Object.entries(found.responses).flatMap(([status, { content }]) =>
      examplesOf(content['application/problem+json']).map((value) => {
        const { code } = problem.parse(value)
        expect(String(statusOf(code))).toBe(status)
        return code
      }),
    )
    expect(new Set(shown)).toEqual(new Set(described(name).problems))
    expect(shown.length).toBe(new Set(shown).size)
  })

  it('tells the id of the request in every answer', () => {
    const headers = Object.values(found.responses).map((response) => Object.keys(response.headers).includes('X-Request-Id'))
    expect(headers.length > 1 && headers.every(Boolean)).toBe(true)
  })
})

/** The values of a media type's examples, references followed. */
function examplesOf(content: z.infer<typeof media> | undefined): unknown[] {
  if (content?.example !== undefined) return [content.example]
  return Object.values(content?.examples ?? {}).map(({ value, $ref }) => {
    const code = $ref?.replace('#/components/examples/', '') ?? ''
    return $ref === undefined ? value : contract.components.examples[code]?.value
  })
}

/** As somebody who may do everything, to an address that exists. */
const requestOf = (name: string, value: unknown): [path: string, init: RequestInit] => {
  const [method = '', path = ''] = name.split(' ')
  const known = path.startsWith('/v1/policies') ? { authorization: `Bearer ${TOKENS.admin}` } : {}
  const unseen = described(name).conditional === undefined ? {} : { 'if-none-match': '*' }
  const headers = { 'content-type': 'application/json', ...known, ...unseen }
  return [path.replace('{name}', 'strict-eu'), { method, headers, body: JSON.stringify(value) }]
}

describe('every example', () => {
  const requests = operations.flatMap(([name, { requestBody }]) =>
    Object.entries(requestBody?.content['application/json']?.examples ?? {}).map(([title, { value }]) => [name, title, value] as const),
  )

  it('is there for each operation that takes JSON', () => {
    expect(new Set(requests.map(([name]) => name))).toEqual(
      new Set(operations.filter(([, { requestBody }]) => requestBody?.content['application/json'] !== undefined).map(([name]) => name)),
    )
  })

  it.each(requests)('can be sent to %s: %s', async (name, _, value) => {
    const response = await overSocket(app, ...requestOf(name, value))
    const body: unknown = await response.json()
    // Its report is shortened, so it is refused; but it is read, and answered with what the contract lists.
    const { answer, problems } = described(name)
    const schema = response.status === answer.status ? answer.content['application/json']?.schema : problem
    expect(schema === undefined || schema === 'text' ? 'no schema' : schema.safeParse(body).error).toBeUndefined()
    const code = response.status === answer.status ? undefined : problem.parse(body).code
    expect(code === undefined || (code !== 'request-malformed' && problems.includes(code))).toBe(true)
  })

  it('of an appraisal has its live counterpart', () => {
    expect(Object.keys(LIVE)).toEqual(appraised.map(([title]) => title))
  })

  it.each(appraised)('of an appraisal is accepted with live values: %s', async (title, example) => {
    const { host, audience, key, options } = liveOf(title)
    const nonce = options?.relyingPartyNonce ?? (await challengeFrom({ url: 'http://assay.test', fetch: fetchOf(app) }))
    const live = attestRequest(host(), nonce, { audience, key: key === 'none' ? key : bindingKey(key), ...options })
    // Audience and policy are the fixture's; the other members are those of the example.
    const members = new Set([...Object.keys(example), 'audience'])
    members.delete('policy')
    expect(new Set(Object.keys(live))).toEqual(members)
    const headers = { 'content-type': 'application/json' }
    const response = await overSocket(app, '/v1/appraisals', { method: 'POST', headers, body: JSON.stringify(live) })
    expect(accepted({ status: response.status, body: await response.json() }).appraisal.status).toBe('affirming')
  })

  it('of a problem page is what the page says', async () => {
    const pages = examplesOf(
      operations.find(([name]) => name === 'GET /problems/{code}')?.[1].responses['200']?.content['application/json'],
    )
    const codes = pages.map((page) => problemPageAnswer.parse(page).code)
    expect(codes).toEqual(PROBLEM_CODES)
    const response = await overSocket(app, '/problems/snp-vek-missing', { headers: { accept: 'application/json' } })
    const { type: _, ...served } = problemPageAnswer.parse(await response.json())
    expect(pages[codes.indexOf('snp-vek-missing')]).toMatchObject(served)
    expect(codes.every(isProblemCode)).toBe(true)
  })
})
