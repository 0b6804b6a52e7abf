import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../app.ts'
import { fetchOf, testServices, vendorOf, withIntel, type TestServices } from '../../test/services.ts'
import { labAuthority, SETTINGS } from '../../test/enrolment-lab.ts'
import { anchorsOf } from '../verifiers/anchors.ts'
import { writeVendorDocument } from '../verifiers/tdx/document.ts'
import { fakeAmd } from './amd.ts'
import { fleetPckCrl } from './fleet-intel.ts'
import { demoFleet, FLEET_POLICIES, revokeForFleet, type FleetMember } from './fleet.ts'
import { fakeIntel } from './intel.ts'
import { startFakeKds } from './kds.ts'
import { startFakePcs } from './pcs.ts'
import { fakeTpms } from './tpm.ts'

let fixture: TestServices
let fleet: readonly FleetMember[]
let send: ReturnType<typeof fetchOf>
let stop: () => Promise<void>
beforeAll(async () => {
  const [amd, intel] = [await fakeAmd(), fakeIntel()]
  const [kds, pcs] = [await startFakeKds(amd), await startFakePcs(intel)]
  const tpms = fakeTpms()
  const demo = demoFleet({ amd, intel, tpms })
  fleet = demo.members
  revokeForFleet({ amd, intel, kds, pcs }, fleet)
  const revoked = new Uint8Array(await (await fetch(`${kds.url}/vlek/v1/Turin/crl`)).arrayBuffer())
  const amds = vendorOf(amd, (address) => (address === 'amd/crl/Turin/vlek' ? { outcome: 'found', bytes: revoked } : undefined))
  const pckCrl = writeVendorDocument(fleetPckCrl(intel, fleet))
  const vendor = withIntel(intel, amds, (address) =>
    address === 'intel/pck-crl/platform' ? { outcome: 'found', bytes: pckCrl } : undefined,
  )
  const audience = {
    name: 'fleet',
    policies: FLEET_POLICIES.map(({ name }) => name),
    profile: 'lean',
    alg: 'ES256',
    relyingPartyNonce: 'refuse',
  } as const
  const anchors = anchorsOf(amd.anchors(), intel.anchors(), tpms.anchors())
  const settings = { ...SETTINGS, listed: demo.listedEks.map((spkiSha256) => ({ spkiSha256 })) }
  const enrolling = { settings, authority: labAuthority() }
  fixture = await testServices({ amd, intel, anchors, enrolling, vendor, policies: FLEET_POLICIES, audiences: [audience] })
  send = fetchOf(createApp(fixture.services))
  stop = async () => {
    await fixture.stop()
    await kds.close()
    await pcs.close()
  }
})
afterAll(() => stop())

describe('the demonstration’s fleet', () => {
  it('is three dozen hosts with names of their own', () => {
    expect(fleet.length).toBe(36)
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
