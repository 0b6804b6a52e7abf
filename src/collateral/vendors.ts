import type { CollateralAddress } from '../verifiers/verifier.ts'
import { vendorOf, type VendorName } from './address.ts'
import type { Fetched, Vendor, VendorClient } from './source.ts'

const NOBODY: Fetched = { outcome: 'unavailable', reason: 'no vendor publishes this' }

/** All vendors as one: each is asked for its own documents, from its own budget. */
export const byVendor = (vendors: Readonly<Record<VendorName, Vendor>>): Vendor => ({
  fetch: async (request) => theirs(vendors, request.address)?.fetch(request) ?? NOBODY,
})

/** The same for clients without budgets. A vendor that may not be asked is left out. */
export const clientsByVendor = (clients: Readonly<Partial<Record<VendorName, VendorClient>>>): VendorClient => ({
  fetch: async (address) => theirs(clients, address)?.fetch(address) ?? NOBODY,
})

function theirs<T>(all: Readonly<Partial<Record<VendorName, T>>>, address: CollateralAddress): T | undefined {
  const vendor = vendorOf(address)
  return vendor === undefined ? undefined : all[vendor]
}
