import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { problem } from '../src/routes/openapi/answers.ts'
import { startService, startWorld, type ServiceProcess, type World } from './service-process.ts'

let world: World
let provider: Server
let service: ServiceProcess
let issuer = ''
let sign: (groups: readonly string[]) => Promise<string>

beforeAll(async () => {
  world = await startWorld()
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'ES256' }
  provider = createServer((request, response) => {
    const keys = request.url === '/keys'
    response.end(JSON.stringify(keys ? { keys: [jwk] } : { issuer, jwks_uri: `${issuer}/keys` }))
  }).listen(0, '127.0.0.1')
  await once(provider, 'listening')
  issuer = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  sign = (groups) =>
    new SignJWT({ groups: [...groups] })
      .setProtectedHeader({ alg: 'ES256', kid: 'one' })
      .setIssuer(issuer)
      .setAudience('assay')
      .setSubject('ann')
      .setExpirationTime('5m')
      .sign(privateKey)
  const oidc = { issuer, audience: 'assay', roles_claim: 'groups', roles: { readers: 'viewer', writers: ['policy-author'] } }
  service = await startService(world, { ...world.settings, oidc })
  return async () => {
    service.child.kill('SIGKILL')
    await service.ended
    await world.close()
  }
})
afterAll(() => provider.close())

const POLICY = `name: by-ann\nsnp:\n  measurements: ["${'a1'.repeat(48)}"]\n`

async function put(token: string): Promise<[number, string | undefined]> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/yaml', 'if-none-match': '*' }
  const response = await fetch(`${service.url}/v1/policies/by-ann`, { method: 'PUT', headers, body: POLICY })
  return [response.status, response.ok ? undefined : problem.parse(await response.json()).code]
}

describe('callers whom the identity provider vouches for', () => {
  it('may do what their roles say, and audit lines name them', async () => {
    expect(await put(await sign(['readers']))).toEqual([403, 'forbidden'])
    expect(await put(await sign(['nobody']))).toEqual([403, 'forbidden'])
    expect(await put(`${(await sign(['writers'])).slice(0, -8)}AAAAAAAA`)).toEqual([401, 'unauthenticated'])
    expect(await put(await sign(['writers']))).toEqual([201, undefined])
    const lines = readFileSync(join(String(world.settings['data_dir']), 'audit.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
    const [key, first, ...rest] = lines.map((line): unknown => JSON.parse(line))
    expect(key).toMatchObject({ seq: 1, action: 'token-key-published', caller: 'service' })
    expect(first).toMatchObject({ seq: 2, action: 'policy-file', caller: 'files' })
    expect(rest).toEqual([expect.objectContaining({ seq: 3, action: 'policy-put', outcome: 'changed', caller: 'oidc:ann' })])
  })

  it('are not let in, and do not count as anonymous, while it cannot be asked', async () => {
    // Another process, which has no keys yet.
    const nowhere = { issuer: 'http://127.0.0.1:9', audience: 'assay', roles_claim: 'groups', roles: { readers: 'viewer' } }
    const lost = await startService(world, { ...world.settings, data_dir: world.files.path('lost'), oidc: nowhere })
    const token = [{ alg: 'ES256' }, { iss: nowhere.issuer }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    const response = await fetch(`${lost.url}/v1/collateral`, { headers: { authorization: `Bearer ${token}.AAAA` } })
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
    expect(problem.parse(await response.json()).code).toBe('identity-provider-unavailable')
    expect((await fetch(`${lost.url}/v1/collateral`)).status).toBe(200)
    lost.child.kill('SIGKILL')
    await lost.ended
  })
})
