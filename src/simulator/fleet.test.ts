import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../app.ts'
import { fetchOf, testServices, vendorOf, withIntel, type TestServices } from '../../test/services.ts'
import { writeVendorDocument } from '../verifiers/tdx/document.ts'
import { fakeAmd } from './amd.ts'
import { fleetPckCrl } from './fleet-intel.ts'
import { demoFleet, FLEET_POLICY, revokeForFleet, type FleetMember } from './fleet.ts'
import { fakeIntel } from './intel.ts'
import { startFakeKds } from './kds.ts'
import { startFakePcs } from './pcs.ts'

let fixture: TestServices
let fleet: readonly FleetMember[]
let send: ReturnType<typeof fetchOf>
let stop: () => Promise<void>
beforeAll(async () => {
  const [amd, intel] = [await fakeAmd(), fakeIntel()]
  const [kds, pcs] = [await startFakeKds(amd), await startFakePcs(intel)]
  fleet = demoFleet({ amd, intel })
  revokeForFleet({ amd, intel, kds, pcs }, fleet)
  const revoked = new Uint8Array(await (await fetch(`${kds.url}/vlek/v1/Turin/crl`)).arrayBuffer())
  const amds = vendorOf(amd, (address) => (address === 'amd/crl/Turin/vlek' ? { outcome: 'found', bytes: revoked } : undefined))
  const pckCrl = writeVendorDocument(fleetPckCrl(intel, fleet))
  const vendor = withIntel(intel, amds, (address) =>
    address === 'intel/pck-crl/platform' ? { outcome: 'found', bytes: pckCrl } : undefined,
  )
  const audience = { name: 'fleet', policies: ['fleet'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  fixture = await testServices({ amd, intel, vendor, policies: [FLEET_POLICY], audiences: [audience] })
  send = fetchOf(createApp(fixture.services))
  stop = async () => {
    await fixture.stop()
    await kds.close()
    await pcs.close()
  }
})
afterAll(() => stop())

describe('the demonstration’s fleet', () => {
  it('is two dozen hosts with names of their own', () => {
    expect(fleet.length).toBe(24)
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
