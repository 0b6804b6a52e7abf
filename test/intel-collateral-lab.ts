import { standingFor } from './collateral-lab.ts'
import { INTEL_STANDING } from '../src/collateral/address.ts'
import type { CollateralDeps } from '../src/collateral/deps.ts'
import { createCollateralService } from '../src/collateral/keeper.ts'
import type { CollateralService } from '../src/collateral/service.ts'
import type { Fetched, FetchRequest } from '../src/collateral/source.ts'
import { fakeIntel } from '../src/simulator/intel.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { createLog } from '../src/telemetry/log.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { parseIntelAddress, qeIdentityAddress, rootCaCrlAddress, tcbInfoAddress } from '../src/verifiers/tdx/address.ts'
import { writeVendorDocument } from '../src/verifiers/tdx/document.ts'
import type { CollateralAddress } from '../src/verifiers/verifier.ts'

/** When the lab begins. */
export const START = new Date('2026-11-23T12:00:00Z')
const HOUR = 3_600_000
/** A time of the lab. */
export const hours = (n: number): Date => new Date(START.getTime() + n * HOUR)
/** The Intel of the lab. */
export const intel = fakeIntel({ now: START })
/** The family of platforms that its documents are for. */
export const FMSPC = '00806f050000'
/** Its standard and its early TCB info. */
export const [TCB, EARLY] = [tcbInfoAddress('tdx', FMSPC, 'standard'), tcbInfoAddress('tdx', FMSPC, 'early')]
/** The early identity of the TD quoting enclave. */
export const QE_EARLY = qeIdentityAddress('tdx', 'early')
/** A document that every platform needs. */
export const ROOT = rootCaCrlAddress
/** What a vendor says that cannot be reached. */
export const DOWN: Fetched = { outcome: 'unavailable', reason: 'down' }

/** A document as a vendor's client hands it on. */
export const found = (document: Parameters<typeof writeVendorDocument>[0]): Fetched => ({
  outcome: 'found',
  bytes: writeVendorDocument(document),
})
/** What Intel would answer at a time: documents are an hour old. */
export function answerAt(now: Date, address: CollateralAddress): Fetched {
  const name = parseIntelAddress(address)
  if (name === undefined) return { outcome: 'not-found' }
  const issueDate = new Date(now.getTime() - HOUR)
  if (name.kind === 'tcb-info') return found(intel.tcbInfo({ ...name, issueDate }))
  return name.kind === 'qe-identity' ? found(intel.qeIdentity({ ...name, issueDate })) : found(intel.document(name))
}
const running: CollateralService[] = []
/** Stops every service that was made. */
export const stopAll = () => Promise.all(running.splice(0).map((service) => service.stop()))

/** A service in front of the fake Intel, with its clock, what was asked of the vendor, and what the vendor says instead. */
export function intelLab(options: Partial<CollateralDeps> = {}) {
  const asked: FetchRequest[] = []
  const state = { now: START, answer: (_address: CollateralAddress): Fetched | undefined => undefined }
  const vendor = {
    fetch: async (request: FetchRequest): Promise<Fetched> => {
      asked.push(request)
      return state.answer(request.address) ?? answerAt(state.now, request.address)
    },
  }
  const deps: CollateralDeps = {
    anchors: anchorsOf([], intel.anchors()),
    store: memoryStores().collateral,
    vendor,
    now: () => state.now,
    log: createLog('silent'),
    standing: standingFor(INTEL_STANDING, { needed: 'wanted' }),
    random: () => 0,
    ...options,
  }
  const service = createCollateralService(deps)
  running.push(service)
  const count = (address: CollateralAddress): number => asked.filter((request) => request.address === address).length
  return { service, store: deps.store, asked, count, state }
}

/** Evidence that was accepted. */
export const accepted = (needs: readonly CollateralAddress[], wants: readonly CollateralAddress[] = []) => ({
  needs,
  wants,
  offers: new Map(),
})
