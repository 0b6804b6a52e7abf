import { createServer, type Server } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { decodeJwt } from 'jose'
import { TOKEN_ALGORITHMS } from '../../src/access/audiences.ts'
import { freePort } from '../free-port.ts'
import { ELSEWHERE, startLab, type Change, type Lab } from './lab.ts'
import { readPage } from './pages.ts'
import { program, startProgram, type Started } from './programs.ts'

const envoy = program({ name: 'envoy', version: ['--version'], ci: false })
const AUDIENCE = 'https://orders.example'
const seconds = () => Math.floor(Date.now() / 1000)

describe.skipIf(envoy === undefined)('Envoy as envoy.md configures it', () => {
  let lab: Lab
  let orders: Server
  let proxy: Started
  let port: number
  let token: string
  beforeAll(async () => {
    lab = await startLab(readPage('envoy'))
    const upstream = await freePort()
    orders = createServer(({ headers }, response) => response.end(JSON.stringify(headers))).listen(upstream, '127.0.0.1')
    port = await freePort()
    const { key } = lab.tls
    const changes: readonly Change[] = [
      ['0.0.0.0, port_value: 8443', `127.0.0.1, port_value: ${port}`],
      ['/etc/envoy/tls.crt', lab.files.path('ca.pem')],
      ['/etc/envoy/tls.key', lab.files.write('tls.key', key)],
      ['/etc/ssl/certs/ca-certificates.crt', lab.files.path('ca.pem')],
      ['address: assay.example, port_value: 443', `address: 127.0.0.1, port_value: ${lab.port}`],
      ['san_type: DNS, matcher: { exact: assay.example }', 'san_type: IP_ADDRESS, matcher: { exact: 127.0.0.1 }'],
      ['127.0.0.1, port_value: 8080', `127.0.0.1, port_value: ${upstream}`],
    ]
    const config = lab.files.write('envoy.yaml', lab.file('envoy.yaml', changes))
    proxy = await startProgram(envoy ?? '', ['-c', config, '--disable-hot-restart', '--concurrency', '1'], { port })
    token = await lab.token({ audience: AUDIENCE })
  })
  afterAll(async () => {
    await proxy.stop()
    orders.close()
    await lab.close()
  })

  const ask = async (bearer: string | undefined, headers: Record<string, string> = {}): Promise<[status: number, body: string]> => {
    const sent = bearer === undefined ? headers : { ...headers, authorization: `Bearer ${bearer}` }
    const response = await lab.fetch(`https://127.0.0.1:${port}/`, { headers: sent })
    return [response.status, await response.text()]
  }

  it('lets a token pass, tells the service its subject, and keeps the token', async () => {
    const [status, seen] = await ask(token, { 'x-attested-subject': 'somebody else' })
    expect([status, seen]).toEqual([200, expect.any(String)])
    expect(JSON.parse(seen)).toMatchObject({ 'x-attested-subject': decodeJwt(token).sub })
    expect(seen).not.toContain(token)
  })

  it.each(TOKEN_ALGORITHMS)('takes %s', async (alg) => {
    expect((await ask(await lab.signedWith(token, alg)))[0]).toBe(200)
  })

  it('refuses whoever has none', async () => expect(await ask(undefined)).toEqual([401, 'Jwt is missing']))

  it('refuses a token for another audience', async () => {
    expect(await ask(await lab.token({ audience: ELSEWHERE }))).toEqual([403, 'Audiences in Jwt are not allowed'])
  })

  it('refuses a token that another policy of the audience gave', async () => {
    expect(await ask(await lab.token({ audience: AUDIENCE, judgedBy: 'weak' }))).toEqual([403, 'RBAC: access denied'])
  })

  it.each([
    ['of another issuer', () => ({ iss: 'https://test.assay.invalid' }), [401, 'Jwt issuer is not configured']],
    ['that has expired', () => ({ exp: seconds() - 40 }), [401, 'Jwt is expired']],
    ['of the future', () => ({ nbf: seconds() + 80 }), [401, 'Jwt not yet valid']],
    ['that lives too long', () => ({ exp: seconds() + 1100 }), [401, 'Jwt verification fails']],
    ['that does not end', () => ({ exp: undefined }), [401, 'Jwt verification fails']],
  ])('refuses a token %s', async (_, claims, answer) => {
    expect(await ask(await lab.altered(token, claims()))).toEqual(answer)
  })

  it('refuses a token whose guest is only warned of', async () => {
    expect(await ask(await lab.warned(token))).toEqual([403, 'RBAC: access denied'])
  })

  it('takes half a minute of other clocks', async () => {
    expect((await ask(await lab.altered(token, { exp: seconds() - 10 })))[0]).toBe(200)
  })

  it('reads neither typ nor profile, and asks for no key', async () => {
    expect((await ask(await lab.altered(token, { eat_profile: 'tag:ietf.org,2026:rats/ear#03', cnf: undefined })))[0]).toBe(200)
  })
})
