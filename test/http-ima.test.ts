import { beforeAll, describe, expect, it } from 'vitest'
import { createApp, type App } from '../src/app.ts'
import { ascii, bootAggregate, contentDigest, file, pcr10, type Listed } from './ima-lists.ts'
import { testServices, type TestServices } from './services.ts'
import { overSocket } from './socket.ts'
import { akNameOf, pcrValue, testEvidence } from './tpm-quotes.ts'

const FIRST = Array.from({ length: 8 }, (_, pcr) => pcrValue('sha256', pcr))
const LIST = [bootAggregate(FIRST), file('/bin/a', 'a'), file('/bin/b', 'b')]
const listed = (...contents: readonly string[]) =>
  Object.fromEntries(contents.map((content) => [`/bin/${content}`, [`sha256:${contentDigest(content).toString('hex')}`]]))

const policy = (name: string, more: object = {}) => ({
  name,
  key_binding: 'DANGEROUSLY_OPTIONAL',
  tpm: {
    ak_trust: ['enrolled-ak'],
    enrolled_aks: [akNameOf(testEvidence())],
    unnamed_boot: 'DANGEROUSLY_ALLOW',
    ima: { mode: 'require', digests: listed('a', 'b', 'c'), ...more },
  },
})
const audience = (name: string) => ({ name, policies: [name], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' }) as const

let fixture: TestServices
let app: App
beforeAll(async () => {
  fixture = await testServices({
    policies: [policy('files'), policy('other', { unattested_tail: 'refuse' }), policy('no-list', { mode: 'off' })],
    audiences: [audience('files'), audience('other'), audience('no-list')],
    services: { limits: { bodyBytes: 200_000, eventLogBytes: 100_000, imaBytes: 300_000, inFlight: 8 } },
  })
  app = createApp(fixture.services)
  return fixture.stop
})

const b64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64')

async function challenge(): Promise<string> {
  const answer = (await (await overSocket(app, '/v1/challenges', { method: 'POST' })).json()) as { nonce: string }
  return answer.nonce
}

type Asked = { readonly resetCount?: number; readonly clock?: bigint; readonly to?: string; readonly item?: object }

/** A request whose quote attests this list, for a fresh challenge. */
async function requestFor(list: readonly Listed[], { to = 'files', item = {}, ...clock }: Asked = {}): Promise<Record<string, unknown>> {
  const nonce = await challenge()
  const values = { sha256: Object.fromEntries([...FIRST.map((pcr, i) => [i, pcr] as const), [10, pcr10(list)]]) }
  const selections = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7, 10] }] as const
  const attest = { extraData: new Uint8Array(Buffer.from(nonce, 'base64')), ...clock }
  const { quotes, akPublic = new Uint8Array() } = testEvidence([{ selections, values, attest }])
  const wire = quotes.map(({ quote, signature, pcrs }) => ({
    quote: b64(quote),
    signature: b64(signature),
    pcrs: { sha256: Object.fromEntries(Object.entries(pcrs.sha256 ?? {}).map(([i, value]) => [i, Buffer.from(value).toString('hex')])) },
  }))
  return { evidence: [{ type: 'tpm', quotes: wire, ak_public: b64(akPublic), ...item }], nonce, binding: 'nonce', audience: to }
}

type Answer = {
  readonly status: number
  readonly code?: string
  readonly ima_state?: string
  readonly appraisal?: {
    readonly evidence_digest: string
    readonly evidence: readonly { readonly claims: { readonly tpm: { readonly ima: unknown } } }[]
  }
}
const answerOf = async (response: Response): Promise<Answer> => ({ ...((await response.json()) as object), status: response.status })

const post = async (body: object): Promise<Answer> =>
  answerOf(
    await overSocket(app, '/v1/appraisals', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }),
  )

const BOUNDARY = 'a-boundary'
const part = (name: string, content: string | Uint8Array) =>
  Buffer.concat([
    Buffer.from(`--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`),
    Buffer.from(content as Uint8Array),
    Buffer.from('\r\n'),
  ])
const END = Buffer.from(`--${BOUNDARY}--\r\n`)
const FORM = `multipart/form-data; boundary=${BOUNDARY}`

const send = async (body: Buffer, type = FORM): Promise<Answer> =>
  answerOf(await overSocket(app, '/v1/appraisals/streamed', { method: 'POST', headers: { 'content-type': type }, body: body as never }))
const stream = (request: object, list: Uint8Array): Promise<Answer> =>
  send(Buffer.concat([part('request', JSON.stringify(request)), part('ima_log', list), END]))

const good = async () => ({ request: part('request', JSON.stringify(await requestFor(LIST))), list: part('ima_log', ascii(LIST)) })

const imaOf = (answer: Answer) => answer.appraisal?.evidence[0]?.claims.tpm.ima

describe('a list within an ordinary body', () => {
  it('is judged, and its state continued by what follows', async () => {
    const first = await post(await requestFor(LIST, { item: { ima_log: b64(ascii(LIST)) } }))
    expect([first.status, imaOf(first)]).toMatchObject([201, { attested_entries: 3, continued: false, boot_aggregate: '0-7', faults: {} }])
    const more = [...LIST, file('/bin/c', 'c')]
    const item = { ima_log: b64(ascii(more.slice(3))), ima_state: first.ima_state }
    const second = await post(await requestFor(more, { item }))
    expect([second.status, imaOf(second)]).toMatchObject([201, { attested_entries: 4, continued: true, accepted: { digest: 3 } }])
    const third = await post(await requestFor(more, { item: { ima_log: '', ima_state: second.ima_state } }))
    expect([third.status, imaOf(third)]).toMatchObject([201, { attested_entries: 4, continued: true }])
  })

  it.each<[string, Asked, (state: string) => string, string]>([
    ['another boot', { resetCount: 99 }, (state) => state, 'tpm-ima-state-stale'],
    ['a later quote', { clock: 1n }, (state) => state, 'tpm-ima-state-regressed'],
    ['another policy', { to: 'other' }, (state) => state, 'tpm-ima-state-stale'],
    ['nobody', {}, (state) => b64(Buffer.from(state, 'base64').subarray(1)), 'tpm-ima-state-stale'],
  ])('with a state of %s is refused', async (...[, asked, change, code]) => {
    const first = await post(await requestFor(LIST, { item: { ima_log: b64(ascii(LIST)) } }))
    const item = { ima_log: '', ima_state: change(first.ima_state ?? '') }
    expect(await post(await requestFor(LIST, { ...asked, item }))).toMatchObject({ status: 422, code })
  })

  it('that is missing, or does not lead to PCR 10, is refused', async () => {
    expect(await post(await requestFor(LIST))).toMatchObject({ status: 403, code: 'tpm-ima-missing' })
    const other = await requestFor(LIST, { item: { ima_log: b64(ascii(LIST.slice(1))) } })
    expect(await post(other)).toMatchObject({ status: 422, code: 'tpm-ima-replay-mismatch' })
  })

  it('with a file that nobody lists is refused, and leaves no state', async () => {
    const evil = [...LIST, file('/bin/evil', 'evil')]
    const answer = await post(await requestFor(evil, { item: { ima_log: b64(ascii(evil)) } }))
    expect(answer).toMatchObject({ status: 403, code: 'tpm-ima-not-allowed' })
    expect(answer.ima_state).toBeUndefined()
  })
})

describe('a streamed list', () => {
  it('is judged like any other, and named by its own digest', async () => {
    const answer = await stream(await requestFor(LIST), ascii(LIST))
    expect([answer.status, imaOf(answer)]).toMatchObject([201, { attested_entries: 3, faults: {} }])
    expect(answer.ima_state).toMatch(/./)
    expect(fixture.audit.at(-1)).toMatchObject({ outcome: 'issued', evidence_digest: answer.appraisal?.evidence_digest })
  })

  it('may be far longer than an ordinary body', async () => {
    const long = [...LIST, ...Array.from({ length: 1800 }, () => file('/bin/a', 'a'))]
    expect(ascii(long).byteLength).toBeGreaterThan(200_000)
    const answer = await stream(await requestFor(long), ascii(long))
    expect([answer.status, imaOf(answer)]).toMatchObject([201, { attested_entries: 1803 }])
  })

  it('is read to its end where no policy looks at it', async () => {
    const answer = await stream(await requestFor(LIST, { to: 'no-list' }), ascii(LIST))
    expect([answer.status, imaOf(answer)]).toEqual([201, null])
    const other = await stream(await requestFor(LIST, { to: 'no-list' }), ascii(LIST.slice(1)))
    expect(other.appraisal?.evidence_digest).not.toBe(answer.appraisal?.evidence_digest)
  })

  it('with a tail is refused where the policy says so', async () => {
    const tail = ascii([...LIST, file('/bin/a', 'a')])
    expect((await stream(await requestFor(LIST), tail)).status).toBe(201)
    expect(await stream(await requestFor(LIST, { to: 'other' }), tail)).toMatchObject({ status: 422, code: 'tpm-ima-replay-mismatch' })
  })

  it('that is too long is refused, wherever it is noticed', async () => {
    const long = Buffer.alloc(310_000, 'x\n')
    expect(await stream(await requestFor(LIST), long)).toMatchObject({ status: 413, code: 'request-too-large' })
    const tail = Buffer.concat([ascii(LIST), long])
    expect(await stream(await requestFor(LIST), tail)).toMatchObject({ status: 413, code: 'request-too-large' })
    expect(await stream(await requestFor(LIST), Buffer.concat([ascii(LIST), Buffer.alloc(2_000_000, 'x\n')]))).toMatchObject({
      status: 413,
    })
  })

  it('goes with its request, in this order and with nothing else', async () => {
    const { request, list } = await good()
    const wrong = [[list, request, END], [request, END], [request, request, list, END], [END], []]
    for (const parts of wrong) {
      const answer = await send(Buffer.concat(parts))
      expect([parts.length, answer]).toMatchObject([parts.length, { status: 400, code: 'request-malformed' }])
    }
  })

  it('does not end before its body does', async () => {
    const { request, list } = await good()
    expect(await send(Buffer.concat([request, list]))).toMatchObject({ status: 400, code: 'request-malformed' })
    const fresh = await good()
    expect(await send(Buffer.concat([fresh.request, fresh.list]).subarray(0, -60))).toMatchObject({
      status: 400,
      code: 'request-malformed',
    })
  })

  it.each([
    ['no type', 'application/json'],
    ['no boundary', 'multipart/form-data'],
  ])('needs a form: %s', async (_, type) => {
    const { request, list } = await good()
    expect(await send(Buffer.concat([request, list, END]), type)).toMatchObject({ status: 415, code: 'content-type-unsupported' })
  })

  it.each(['other', ''])('is not found behind another boundary: %s', async (boundary) => {
    const { request, list } = await good()
    const answer = await send(Buffer.concat([request, list, END]), `multipart/form-data; boundary=${boundary}`)
    expect(answer).toMatchObject({ status: 400, code: 'request-malformed' })
  })

  it.each(['ima_log', 'more'])('is followed by no part: %s', async (name) => {
    const { request, list } = await good()
    expect(await send(Buffer.concat([request, list, part(name, 'x'), END]))).toMatchObject({ status: 400, code: 'request-malformed' })
  })

  it('spends nothing for a request that is none', async () => {
    const request = await requestFor(LIST)
    const bad = [{ ...request, more: 1 }, { ...request, evidence: [] }, await requestFor(LIST, { item: { ima_log: '' } })]
    for (const one of bad) {
      expect(await stream(one, ascii(LIST))).toMatchObject({ status: 400, code: 'request-malformed' })
    }
    expect(await stream(request, ascii(LIST))).toMatchObject({ status: 201 })
    expect(await stream(request, ascii(LIST))).toMatchObject({ code: 'challenge-spent' })
  })

  it('is answered with the bare token where that is wanted', async () => {
    const body = Buffer.concat([part('request', JSON.stringify(await requestFor(LIST))), part('ima_log', ascii(LIST)), END])
    const headers = { 'content-type': FORM, accept: 'application/jwt' }
    const response = await overSocket(app, '/v1/appraisals/streamed', { method: 'POST', headers, body: body as never })
    expect([response.status, (await response.text()).split('.').length]).toEqual([201, 3])
  })
})
