import { readdirSync } from 'node:fs'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { attest } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { accepted } from './answers.ts'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from './service-process.ts'

let world: World
let service: ServiceProcess
const DRAFT = 'tag:ietf.org,2026:rats/ear#04'

beforeAll(async () => {
  world = await startWorld()
  const audiences = Object.entries(world.settings['audiences'] as Record<string, object>).map(([name, audience]) => [
    name,
    { ...audience, alg: 'EdDSA', profile: 'ear' },
  ])
  service = await startService(world, { ...world.settings, audiences: Object.fromEntries(audiences), ear_profile: DRAFT })
})
afterAll(async () => {
  service.child.kill('SIGTERM')
  await service.ended
  await world.close()
})

it('a service makes the keys that its audiences ask for, no others, and writes tokens as they are configured', async () => {
  await untilReady(service.url)
  const { token } = accepted(await attest(fakeHost(world.amd, { ships: 'nothing' }), { url: service.url }))
  const jwks = createRemoteJWKSet(new URL(`${service.url}/.well-known/jwks.json`))
  const { payload } = await jwtVerify(token, jwks, { algorithms: ['EdDSA'], typ: 'demo+eat+jwt', audience: 'default' })
  expect(payload).toMatchObject({
    eat_profile: DRAFT,
    ear_verifier_id: { developer: 'urn:assay', build: expect.stringMatching(/^assay \d+\.\d+\.\d+$/) },
    ear_status: 'affirming',
  })
  expect(readdirSync(String(world.settings['data_dir'])).filter((name) => name.startsWith('token-key'))).toEqual(['token-key-eddsa'])
})
