import type { Collateral, CollateralAddress } from '../verifiers/verifier.ts'
import type { VendorClient } from './source.ts'

/** Asks a vendor once for each address and keeps nothing: for commands that verify one piece of evidence. Bytes are untrusted. */
export async function fetchCollateral(client: VendorClient, needs: readonly CollateralAddress[]): Promise<Collateral> {
  const answers = await Promise.all(needs.map(async (address) => ({ address, answer: await client.fetch(address) })))
  return {
    documents: new Map(answers.flatMap(({ address, answer }) => (answer.outcome === 'found' ? [[address, answer.bytes]] : []))),
    missing: new Map(answers.flatMap(({ address, answer }) => (answer.outcome === 'found' ? [] : [[address, answer.outcome]]))),
    marks: new Map(),
  }
}
