import { amdLists } from '../src/collateral/address.ts'
import type { CollateralDeps, Standing } from '../src/collateral/deps.ts'
import { createCollateralService } from '../src/collateral/keeper.ts'
import { createKds } from '../src/collateral/kds.ts'
import type { CollateralRequest, CollateralService } from '../src/collateral/service.ts'
import { createVendor } from '../src/collateral/vendor.ts'
import { fakeAmd, type FakeAmd } from '../src/simulator/amd.ts'
import { startFakeKds, type FakeKds } from '../src/simulator/kds.ts'
import type { FakeVek } from '../src/simulator/veks.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { CollateralStore } from '../src/stores/stores.ts'
import { createLog } from '../src/telemetry/log.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { vcekAddress } from '../src/verifiers/snp/address.ts'
import type { Anchors, CollateralAddress } from '../src/verifiers/verifier.ts'

/** One product's AMD with its service, and collateral services in front of it. */
export type CollateralLab = {
  readonly amd: FakeAmd
  readonly kds: FakeKds
  readonly anchors: Anchors
  readonly now: Date
  /** What the services take for the time. */
  readonly clock: { now: Date }
  /** A service; `close` of the lab stops it. */
  readonly service: (options?: Partial<CollateralDeps>) => CollateralService & { readonly store: CollateralStore }
  readonly close: () => Promise<void>
}

/** Builds the lab. Vendors of its services have budget enough for a test, and wait a fifth of a second for an answer. */
export async function collateralLab(): Promise<CollateralLab> {
  const now = new Date('2026-11-23T12:00:00Z')
  const clock = { now }
  const amd = await fakeAmd({ now, products: ['Milan'] })
  const kds = await startFakeKds(amd)
  const anchors = anchorsOf(amd.anchors())
  const services: CollateralService[] = []
  return {
    amd,
    kds,
    anchors,
    now,
    clock,
    service: (options = {}) => {
      const client = createKds({ url: kds.url, transport: 'DANGEROUSLY_PLAIN_HTTP', timeout: 200 })
      const deps: CollateralDeps = {
        anchors,
        store: memoryStores().collateral,
        vendor: createVendor({ client, burst: 100 }),
        now: () => clock.now,
        log: createLog('silent'),
        standing: standingFor(amdLists(['Milan'])),
        random: () => 0,
        ...options,
      }
      const service = createCollateralService(deps)
      services.push(service)
      return { ...service, store: deps.store }
    },
    close: async () => {
      await Promise.all(services.map((service) => service.stop()))
      await kds.close()
    },
  }
}

/** Documents that are kept fresh; without them a service is not ready unless something else is said. */
export const standingFor = (addresses: readonly CollateralAddress[], options: Partial<Standing> = {}) => {
  const standing = addresses.map((address): Standing => ({ address, needed: 'required', graceSeconds: 0, ...options }))
  return (): readonly Standing[] => standing
}

/** The address of a fake chip's certificate. */
export const addressOf = ({ product, hwid, tcb }: FakeVek): CollateralAddress =>
  vcekAddress(product, Buffer.from(hwid).toString('hex'), tcb)

/** A request of an anonymous attester whose challenge pays. */
export const paying = (...needs: readonly CollateralAddress[]): CollateralRequest => ({
  needs,
  prefix: '192.0.2.0/24',
  caller: 'anonymous',
  pay: async () => true,
})
