import type { VendorName } from '../collateral/address.ts'
import { createKds } from '../collateral/kds.ts'
import { createPcs, type Pcs } from '../collateral/pcs.ts'
import type { Vendor, VendorClient } from '../collateral/source.ts'
import { createTpmLists } from '../collateral/tpm-lists.ts'
import { createVendor, offlineVendor, type VendorOptions } from '../collateral/vendor.ts'
import { byVendor, clientsByVendor } from '../collateral/vendors.ts'
import type { Config } from '../config.ts'
import type { IntelSources } from '../config/intel.ts'
import { readApiKey, readAuthority } from '../config/intel-files.ts'
import { AMD_KDS, INTEL_PCS } from '../config/members.ts'
import { tpmListsOf } from '../config/tpm-files.ts'

/** What says which vendors are asked, and where. */
export type VendorSources = Pick<Config, 'amdKds' | 'intel' | 'tpm' | 'mode'>

/**
 * The standing documents of Intel's, and TCB info and identities of six families of platforms, standard and early: what a service that
 * starts again fetches at once if its store is lost.
 */
const INTEL_BACKGROUND_BURST = 16
/** For callers at once: a new family of platforms takes two documents where a new chip of AMD's takes one. */
const INTEL_BURST = 8

/** The vendors of a service, each behind a budget of its own. Throws for a file that cannot be used. */
export async function vendorsOf(config: Config): Promise<Vendor> {
  const clients = await clientsOf(config)
  const vendor = (name: VendorName, budget: Pick<VendorOptions, 'burst' | 'backgroundBurst'> = {}): Vendor => {
    const client = clients[name]
    if (client === undefined || !isAsked(config, name)) return offlineVendor
    return createVendor({ client, ...budget })
  }
  return byVendor({
    amd: vendor('amd'),
    intel: vendor('intel', { burst: INTEL_BURST, backgroundBurst: INTEL_BACKGROUND_BURST }),
    // As many hosts as there are lists, each asked for its own alone.
    tpm: vendor('tpm', { backgroundBurst: Math.max(1, config.tpm.trust.crls.length) }),
  })
}

/** The vendors for one command, without budgets. Throws for a file that cannot be used. */
export const clientOf = async (sources: VendorSources): Promise<VendorClient> => clientsByVendor(await clientsOf(sources))

async function clientsOf({ amdKds, intel, tpm: { trust }, mode }: VendorSources): Promise<Partial<Record<VendorName, VendorClient>>> {
  const [amd, tpm] = [createKds(amdKds), createTpmLists(tpmListsOf(trust, mode))]
  return intel.collateral === 'off' ? { amd, tpm } : { amd, tpm, intel: await pcsOf(intel) }
}

/**
 * Whether a vendor is asked for anything. Under roots of somebody else, and for a demonstration, it has nothing to say: then only a service
 * that was named is asked.
 */
export function isAsked({ mode, insecureTestRoots, amdKds, intel, tpm }: Config, name: VendorName): boolean {
  // These are asked where the operator named them, and only there.
  if (name === 'tpm') return tpm.trust.crls.length > 0
  const own = name === 'amd' ? amdKds.url === AMD_KDS : intel.pccsUrl === undefined && intel.pcsUrl === INTEL_PCS
  if (name === 'intel' && intel.collateral === 'off') return false
  return !own || (mode !== 'demo' && insecureTestRoots.length === 0)
}

/** Intel's service, or the caching service that is asked instead, which is no party to the subscription. Throws for a file that cannot be used. */
export async function pcsOf(intel: IntelSources): Promise<Pcs> {
  const { transport, pccsUrl, pcsUrl, rootCrlUrl } = intel
  const [ca, apiKey] = [readAuthority(intel), await readApiKey(intel)]
  return createPcs({
    ...(pccsUrl === undefined ? { url: pcsUrl, rootCrlUrl } : { url: pccsUrl, rootCrlUrl: `${pccsUrl}/sgx/certification/v4/rootcacrl` }),
    transport,
    ...(ca === undefined ? {} : { ca }),
    ...(apiKey === undefined || pccsUrl !== undefined ? {} : { apiKey }),
  })
}
