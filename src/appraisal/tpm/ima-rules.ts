import type { ImaRules } from '../../verifiers/tpm/ima/rules.ts'
import { readSigner } from '../../verifiers/tpm/ima/signer.ts'
import { excluding } from './ima-excludes.ts'
import { derOfPem } from './ima-keys.ts'
import type { TpmPolicy } from '../policy.ts'

type ImaPolicy = TpmPolicy['ima']

/** Policies never change, so each is compiled once: ten thousand digests cost more than a quote. */
const compiled = new WeakMap<ImaPolicy, ImaRules>()

/** What the verifier evaluates a list by; undefined where the policy does not want one. */
export function imaRulesOf(policy: ImaPolicy): ImaRules | undefined {
  if (policy.mode === 'off') return undefined
  const known = compiled.get(policy) ?? compile(policy)
  compiled.set(policy, known)
  return known
}

const compile = (policy: ImaPolicy): ImaRules => ({
  bootAggregate: policy.boot_aggregate,
  legacyPadding: policy.legacy_padding,
  digests: listed(policy.digests),
  isExcluded: excluding(policy.excludes),
  keyrings: listed(policy.keyrings),
  ignoredKeyrings: new Set(policy.ignored_keyrings),
  buffers: listed(policy.buffers),
  signers: (policy.verification_keys ?? []).flatMap((pem) => signerOf(pem) ?? []),
})

const listed = (names: Readonly<Record<string, readonly string[]>> | undefined): ImaRules['digests'] =>
  new Map(Object.entries(names ?? {}).map(([name, digests]) => [name, new Set(digests)]))

function signerOf(pem: string): ImaRules['signers'][number] | undefined {
  const der = derOfPem(pem)
  return der === undefined ? undefined : readSigner(der)
}
