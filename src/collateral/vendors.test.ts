import { describe, expect, it } from 'vitest'
import type { CollateralAddress } from '../verifiers/verifier.ts'
import type { Fetched } from './source.ts'
import { byVendor, clientsByVendor } from './vendors.ts'

const named = (name: string) => ({ fetch: async (): Promise<Fetched> => ({ outcome: 'unavailable', reason: name }) })
const [AMD, INTEL]: [CollateralAddress, CollateralAddress] = ['amd/crl/Milan/vcek', 'intel/root-ca-crl']
const TPM: CollateralAddress = `tpm/crl/${'ab'.repeat(32)}`

describe('several vendors', () => {
  it('are each asked for their own documents', async () => {
    const vendor = byVendor({ amd: named('a'), intel: named('i'), tpm: named('t') })
    const ask = (address: CollateralAddress) => vendor.fetch({ address, caller: 'background', prefix: '' })
    expect(await Promise.all([ask(AMD), ask(INTEL), ask(TPM)])).toEqual([
      { outcome: 'unavailable', reason: 'a' },
      { outcome: 'unavailable', reason: 'i' },
      { outcome: 'unavailable', reason: 't' },
    ])
    for (const address of ['amd/crl/Rome/vcek', 'tpm/x', 'intel/tcb-info/tdx/x/standard'] as const)
      expect(await ask(address)).toEqual({ outcome: 'unavailable', reason: 'no vendor publishes this' })
  })

  it('may lack one, whose documents are then unavailable', async () => {
    const client = clientsByVendor({ amd: named('a') })
    expect(await client.fetch(AMD)).toEqual({ outcome: 'unavailable', reason: 'a' })
    expect(await client.fetch(INTEL)).toEqual({ outcome: 'unavailable', reason: 'no vendor publishes this' })
  })
})
