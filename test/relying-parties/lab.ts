import { randomBytes } from 'node:crypto'
import { request } from 'node:https'
import { decodeJwt, decodeProtectedHeader, SignJWT, type JWTPayload } from 'jose'
import { parse } from 'yaml'
import { z } from 'zod'
import { createApp, type App } from '../../src/app.ts'
import { TOKEN_ALGORITHMS, type Audience, type TokenAlgorithm } from '../../src/access/audiences.ts'
import { deriveKeys } from '../../src/access/secrets.ts'
import { readPolicy } from '../../src/appraisal/read-policy.ts'
import { loadConfig } from '../../src/config.ts'
import { startServer, type Tls } from '../../src/service/server.ts'
import { fakeAmd } from '../../src/simulator/amd.ts'
import { attest } from '../../src/simulator/attest.ts'
import { fakeHost, type FakeHost } from '../../src/simulator/hosts.ts'
import type { ReportFields } from '../../src/simulator/report.ts'
import { createTokenIssuer, type TokenIssuer } from '../../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../../src/tokens/key-ring.ts'
import type { TokenKey } from '../../src/tokens/sign.ts'
import { accepted } from '../answers.ts'
import { tempFiles, type Files } from '../cli.ts'
import { testServices, type TestServices } from '../services.ts'
import { overSocket } from '../socket.ts'
import { freePort } from '../free-port.ts'
import { selfSigned } from '../tls.ts'
import { tokenKey } from '../token-keys.ts'
import { EXAMPLE, type Page } from './pages.ts'

/** Bit 19 of POLICY (specification snp.md section 1.1) beside the reserved one and SMT: the host may debug the guest. */
const DEBUG_POLICY = 0xb0000n

/** A policy that is weaker than the page's, and judges for the page's audiences, too: relying parties must tell them apart. */
const WEAK = 'weak'

/** Which token a test wants. */
type Wanted = {
  readonly audience: string
  /** `page`: the page's policy judges a guest as it wants it; `weak`: the other one, a guest whose memory the host can read. */
  readonly judgedBy?: 'page' | 'weak'
}

/** A text of a page and what a test needs in its place. */
export type Change = readonly [from: string, to: string]

/** A service with TLS at an address of its own, configured as a page says. */
export type Lab = {
  readonly issuer: string
  readonly port: number
  readonly tls: Tls
  /** With its certificate, which vouches for itself, in `ca.pem`. */
  readonly files: Files
  /** A file of the page with this service and the policy's digest in the place of the example's, and other changes first. */
  readonly file: (name: string, changes?: readonly Change[]) => string
  readonly token: (wanted: Wanted) => Promise<string>
  /** The token as the service writes it for an audience of another algorithm; all six keys are in its JWKS. */
  readonly signedWith: (token: string, alg: TokenAlgorithm) => Promise<string>
  /** The token with other claims, signed by the service's key: what the service never writes, to ask a rule about it alone. */
  readonly altered: (token: string, claims: Readonly<Record<string, unknown>>) => Promise<string>
  /** The token as it would be if the guest were only warned of: an `issue_on: warning` that the page's policy does not say. */
  readonly warned: (token: string) => Promise<string>
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>
  readonly close: () => Promise<void>
}

/** An audience that none of the pages is about. */
export const ELSEWHERE = 'https://elsewhere.example'

/** Starts one with the audiences of `assay.yaml` and the policy of `policy.yaml`. */
export async function startLab(page: Page): Promise<Lab> {
  const [tls, port, files] = [selfSigned(), await freePort(), tempFiles()]
  files.write('ca.pem', tls.cert)
  const issuer = `https://127.0.0.1:${port}`
  const policy = readPolicy(page.file('policy.yaml'), 'policy.yaml')
  const configured = audiencesOf(page)
  const signingKeys = TOKEN_ALGORITHMS.map((alg, nth) => tokenKey(alg, nth))
  const keyFor = (alg = '') => signingKeys.find((key) => key.alg === alg) ?? tokenKey('ES256')
  const keys = deriveKeys(randomBytes(32), 'production')
  const tokens = asInProduction(
    createTokenIssuer({ tokenKeys: fixedTokenKeys(signingKeys), keys, issuer, mode: 'production', now: () => new Date() }),
  )
  const document = parse(page.file('policy.yaml')) as PolicyDocument
  const amd = await fakeAmd({ products: ['Milan'] })
  const fixture = await testServices({
    amd,
    audiences: configured.map((audience) => withWeak(audience)),
    policies: [document, weakened(document)],
    services: { issuer, tokens },
  })
  const app = createApp(fixture.services)
  const server = await startServer(app, { listen: { host: '127.0.0.1', port }, issuer, tls })
  const measurement = new Uint8Array(Buffer.from(document.snp.measurements[0] ?? '', 'hex'))
  return {
    issuer,
    port,
    tls,
    files,
    file: (name, changes = []) =>
      changes.reduce(changed, page.file(name)).replaceAll(EXAMPLE.issuer, issuer).replaceAll(EXAMPLE.digest, policy.reference.sha256),
    token: ({ audience, judgedBy = 'page' }) => mint({ app, host: fakeHost(amd), measurement }, { audience, judgedBy }),
    signedWith: (token, alg) => resigned(decodeJwt(token), keyFor(alg)),
    altered: (token, claims) => resigned({ ...decodeJwt(token), ...claims }, keyFor(decodeProtectedHeader(token).alg)),
    warned: (token) => resigned(asWarned(decodeJwt(token)), keyFor(decodeProtectedHeader(token).alg)),
    fetch: (url, init = {}) => fetchTrusting(tls.cert, url, init),
    close: () => close(fixture, files, () => server.drain(0)),
  }
}

function changed(text: string, [from, to]: Change): string {
  if (!text.includes(from)) throw new Error(`the page does not say ${from} any more`)
  return text.replaceAll(from, to)
}

type PolicyDocument = { readonly name: string; readonly snp: { readonly measurements: readonly string[] } }

const weakened = (document: PolicyDocument) => ({
  ...document,
  name: WEAK,
  key_binding: 'DANGEROUSLY_OPTIONAL',
  snp: { ...document.snp, guest_policy: { debug: 'DANGEROUSLY_ALLOW' } },
})

const withWeak = (audience: Audience): Audience => ({
  ...audience,
  policies: [...audience.policies, WEAK],
  DANGEROUSLY_WEAKENED_BY: [WEAK],
})

/** What `assay.yaml` of the page configures, read as the service reads it, and one audience more. */
function audiencesOf(page: Page): readonly Audience[] {
  const { config } = loadConfig({ environment: { ASSAY_CONFIG: '/assay.yaml' }, readText: () => page.file('assay.yaml') })
  const [first] = config.audiences
  if (first === undefined) throw new Error('the page configures no audience')
  return [...config.audiences, { ...first, name: ELSEWHERE }]
}

/** Simulated evidence, and tokens that are written as production writes them: their issuer has no `.invalid` name that programs could not find. */
const asInProduction = (issuer: TokenIssuer): TokenIssuer => ({
  ...issuer,
  issue: (asked) => issuer.issue({ ...asked, appraisal: { ...asked.appraisal, mode: 'production' } }),
})

type Mint = { readonly app: App; readonly host: FakeHost; readonly measurement: Uint8Array }

async function mint({ app, host, measurement }: Mint, { audience, judgedBy }: Required<Wanted>): Promise<string> {
  const fields: Partial<ReportFields> = judgedBy === 'weak' ? { measurement, policy: DEBUG_POLICY } : { measurement }
  const policy = judgedBy === 'weak' ? { policy: WEAK } : {}
  const send = (url: string, init: RequestInit): Promise<Response> => overSocket(app, url, init)
  return accepted(await attest(host, { url: 'http://assay.test', fetch: send, audience, fields, ...policy })).token
}

const resigned = (claims: JWTPayload, { alg, kid, privateKey }: TokenKey): Promise<string> =>
  new SignJWT(claims).setProtectedHeader({ alg, typ: 'JWT', kid }).sign(privateKey)

const submodules = z.looseObject({ submods: z.looseObject({ cpu0: z.looseObject({ status: z.literal('affirming') }) }) })

function asWarned(claims: JWTPayload): JWTPayload {
  const { submods } = submodules.parse(claims)
  return { ...claims, submods: { ...submods, cpu0: { ...submods.cpu0, status: 'warning' } } }
}

/** `fetch` that trusts one authority. */
function fetchTrusting(ca: string, url: string, init: RequestInit): Promise<Response> {
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const headers = Object.fromEntries(new Headers(init.headers))
  const sent = request(url, { ca, method: init.method ?? 'GET', headers, agent: false }, (incoming) => {
    const parts: Buffer[] = []
    incoming.on('data', (part: Buffer) => parts.push(part))
    incoming.on('end', () => {
      const kept = Object.entries(incoming.headers).map(([name, value]): [string, string] => [name, String(value)])
      resolve(new Response(Buffer.concat(parts), { status: incoming.statusCode ?? 0, headers: kept }))
    })
  })
  sent.on('error', reject)
  sent.end(typeof init.body === 'string' ? init.body : undefined)
  return promise
}

async function close(fixture: TestServices, files: Files, drain: () => Promise<unknown>): Promise<void> {
  await drain()
  await fixture.stop()
  files.remove()
}
