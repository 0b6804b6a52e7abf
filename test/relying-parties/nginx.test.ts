import { createServer, type Server } from 'node:http'
import { decodeJwt } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { freePort } from '../free-port.ts'
import { ELSEWHERE, startLab, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { program, runProgram, startProgram, type Started } from './programs.ts'

const nginx = program({ name: 'nginx', version: ['-v'], ci: true })
const oauth2Proxy = program({ name: 'oauth2-proxy', version: ['--version'], ci: false })
const AUDIENCE = 'https://orders.example'
const seconds = () => Math.floor(Date.now() / 1000)

let lab: Lab
let ports: { readonly nginx: number; readonly proxy: number; readonly orders: number }
let config: string
beforeAll(async () => {
  lab = await startLab(readPage('nginx'))
  ports = { nginx: await freePort(), proxy: await freePort(), orders: await freePort() }
  const server = lab.file('nginx.conf', [
    ['listen 8443 ssl', `listen 127.0.0.1:${ports.nginx} ssl`],
    ['/etc/nginx/tls.crt', lab.files.path('ca.pem')],
    ['/etc/nginx/tls.key', lab.files.write('tls.key', lab.tls.key)],
    ['127.0.0.1:8080', `127.0.0.1:${ports.orders}`],
    ['127.0.0.1:4180', `127.0.0.1:${ports.proxy}`],
  ])
  config = lab.files.write('nginx.conf', wrapped(server, lab.files.path('.')))
})
afterAll(() => lab.close())

/** What stands around a server of the page in a process of the test's own. */
const wrapped = (server: string, folder: string): string => {
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`)
  return `daemon off; error_log stderr; pid ${folder}/pid; events {} http { access_log off; ${paths.join(' ')}\n${server}}`
}

const ask = async (headers: Record<string, string>): Promise<[status: number, body: string]> => {
  const response = await lab.fetch(`https://127.0.0.1:${ports.nginx}/`, { headers })
  return [response.status, await response.text()]
}
const bearer = (jwt: string) => ask({ authorization: `Bearer ${jwt}` })

it.skipIf(nginx === undefined)('nginx takes the server of nginx.md', async () => {
  const { code, err } = await runProgram(nginx ?? '', ['-t', '-e', 'stderr', '-c', config])
  expect([code, err]).toEqual([0, expect.stringContaining('test is successful')])
})

describe.skipIf(nginx === undefined || oauth2Proxy === undefined)('nginx with oauth2-proxy as nginx.md configures them', () => {
  const started: Started[] = []
  let orders: Server
  let token: string
  beforeAll(async () => {
    orders = createServer(({ headers }, response) => response.end(JSON.stringify(headers))).listen(ports.orders, '127.0.0.1')
    const settings = lab.files.write('oauth2-proxy.cfg', lab.file('oauth2-proxy.cfg', [['127.0.0.1:4180', `127.0.0.1:${ports.proxy}`]]))
    const trust = [`--provider-ca-file=${lab.files.path('ca.pem')}`]
    started.push(await startProgram(oauth2Proxy ?? '', [`--config=${settings}`, ...trust], { port: ports.proxy }))
    started.push(await startProgram(nginx ?? '', ['-e', 'stderr', '-c', config], { port: ports.nginx }))
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(async () => {
    for (const one of started) await one.stop()
    orders.close()
  })

  it('lets a token pass, tells the service its subject, and keeps the token', async () => {
    const [status, seen] = await ask({ authorization: `Bearer ${token}`, 'x-attested-subject': 'somebody else' })
    expect([status, seen]).toEqual([200, expect.any(String)])
    expect(JSON.parse(seen)).toMatchObject({ 'x-attested-subject': decodeJwt(token).sub })
    expect(seen).not.toContain(token)
  })

  it('takes every algorithm', async () => {
    const answers = await Promise.all(TOKEN_ALGORITHMS.map(async (alg) => (await bearer(await lab.signedWith(token, alg)))[0]))
    expect(answers).toEqual(TOKEN_ALGORITHMS.map(() => 200))
  })

  it('has room for the longest token', async () => {
    const padded = await lab.altered(token, { swname: 'x'.repeat(3_000) })
    expect(padded.length).toBeGreaterThan(7_000)
    expect((await bearer(padded))[0]).toBe(200)
  })

  it('refuses whoever has none, and starts no login', async () => {
    const [status, body] = await ask({})
    expect([status, body]).toEqual([401, expect.stringContaining('401')])
  })

  it.each([
    ['for another audience', () => lab.token({ audience: ELSEWHERE })],
    ['of another issuer', () => lab.altered(token, { iss: 'https://test.assay.invalid' })],
    ['that has expired', () => lab.altered(token, { exp: seconds() - 2 })],
    ['of the future', () => lab.altered(token, { nbf: seconds() + 400 })],
    ['of a policy that gives other groups', () => lab.altered(token, { groups: ['others'] })],
    ['without groups', () => lab.altered(token, { groups: undefined })],
  ])('refuses a token %s', async (_, made) => {
    expect([401, 403]).toContain((await bearer(await made()))[0])
  })

  it('does not see which policy gave a group, nor what stands below the top', async () => {
    expect((await bearer(await lab.token({ audience: AUDIENCE, judgedBy: 'weak' })))[0]).toBe(200)
    expect((await bearer(await lab.warned(token)))[0]).toBe(200)
  })
})
