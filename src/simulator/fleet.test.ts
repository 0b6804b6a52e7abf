import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../app.ts'
import { fetchOf, testServices, vendorOf, type TestServices } from '../../test/services.ts'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { demoFleet, FLEET_POLICY, revokeForFleet, type FleetMember } from './fleet.ts'
import { startFakeKds, type FakeKds } from './kds.ts'

let amd: FakeAmd
let kds: FakeKds
let fixture: TestServices
let fleet: readonly FleetMember[]
let send: ReturnType<typeof fetchOf>
beforeAll(async () => {
  amd = await fakeAmd()
  kds = await startFakeKds(amd)
  fleet = demoFleet(amd)
  revokeForFleet(amd, kds)
  const revoked = new Uint8Array(await (await fetch(`${kds.url}/vlek/v1/Turin/crl`)).arrayBuffer())
  const vendor = vendorOf(amd, (address) => (address === 'amd/crl/Turin/vlek' ? { outcome: 'found', bytes: revoked } : undefined))
  const audience = { name: 'fleet', policies: ['fleet'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  fixture = await testServices({ amd, vendor, policies: [FLEET_POLICY], audiences: [audience] })
  send = fetchOf(createApp(fixture.services))
})
afterAll(async () => {
  await fixture.stop()
  await kds.close()
})

describe('the demonstration’s fleet', () => {
  it('is a dozen hosts with names of their own', () => {
    expect(fleet.length).toBeGreaterThanOrEqual(12)
    expect(new Set(fleet.map((member) => member.name)).size).toBe(fleet.length)
  })

  it('is judged by the service as each member expects', async () => {
    for (const member of fleet) {
      const answer = await member.run({ url: 'http://assay.invalid', audience: 'fleet', fetch: send })
      const verdict = answer.status === 201 ? 'issued' : Object(answer.body).code
      expect([member.name, verdict]).toEqual([member.name, member.expected])
    }
  })
})
