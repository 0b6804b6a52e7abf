import { policySetOf, type ActivePolicy, type PolicySet } from '../appraisal/policy-set.ts'
import { rigourOf } from '../appraisal/rigour.ts'
import { amdLists, INTEL_STANDING } from '../collateral/address.ts'
import type { Standing } from '../collateral/deps.ts'
import type { Config } from '../config.ts'
import type { Grounds } from '../config/grounds.ts'
import { fixedPolicies } from '../config/policies.ts'
import { unlessNotReady } from '../policies/errors.ts'
import type { Policies } from '../policies/policies.ts'
import { SNP_PRODUCTS } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'

/** What decides which documents a service keeps fresh. */
type Parts = { readonly config: Config; readonly policies: PolicySet; readonly grounds: Omit<Grounds, 'mode'> }

/**
 * The policies from which it is decided what is needed, as they are each time: while they cannot be confirmed, those that were known last,
 * and before any were, those that need no store.
 */
export function knownPolicies(policies: Pick<Policies, 'snapshot'>, config: Config): () => PolicySet {
  let known: PolicySet | undefined
  return () => {
    try {
      known = policySetOf(policies.snapshot().all())
    } catch (error) {
      unlessNotReady(error)
      known ??= policySetOf(fixedPolicies(config).map(({ policy }) => policy))
    }
    return known
  }
}

/**
 * The documents that are kept fresh whether somebody asks or not. Lists of AMD's are required where a policy that some audience may use
 * requires them; a policy that nobody may use makes nobody wait. Intel's are required where the operator says so: who has no host of
 * Intel's must not depend on Intel.
 */
export const standingOf = (parts: Parts): readonly Standing[] => [
  ...standingOfAmd(parts),
  ...standingOfIntel(parts),
  ...standingOfTpms(parts),
]

function standingOfAmd(parts: Parts): readonly Standing[] {
  const used = usedPolicies(parts).map((policy) => rigourOf(policy.document).snp)
  const needed = used.some(({ revocation }) => revocation === 'require') ? 'required' : 'wanted'
  const graceSeconds = Math.max(0, ...used.map(({ crlGraceSeconds }) => crlGraceSeconds))
  const products = SNP_PRODUCTS.filter((product) => isKeptFor(product, parts.grounds))
  return amdLists(products).map((address) => ({ address, needed, graceSeconds }))
}

/** Lists are kept for products that have a root here, and whose lists were not given (mode test). */
const isKeptFor = (product: SnpProduct, { anchors, documents }: Parts['grounds']): boolean =>
  anchors.amd.some((anchor) => anchor.role === 'ark' && anchor.product === product) &&
  !amdLists([product]).every((address) => documents.has(address))

function standingOfIntel(parts: Parts): readonly Standing[] {
  const { anchors, documents } = parts.grounds
  if (anchors.intel.length === 0) return []
  const needed = parts.config.intel.collateral === 'required' ? 'required' : 'wanted'
  const used = usedPolicies(parts).map((policy) => rigourOf(policy.document))
  const graceSeconds = Math.max(0, ...used.flatMap(({ tdx, sgx }) => [tdx.collateralGraceSeconds, sgx.collateralGraceSeconds]))
  return INTEL_STANDING.filter((address) => !documents.has(address)).map((address) => ({ address, needed, graceSeconds }))
}

/** Lists of TPM authorities are required where a policy that some audience may use, or enrolment, requires them. */
function standingOfTpms(parts: Parts): readonly Standing[] {
  const { anchors, documents } = parts.grounds
  const enrolment = parts.config.tpm.enrolment
  const used = [...usedPolicies(parts).map((policy) => rigourOf(policy.document).tpm), ...(enrolment === undefined ? [] : [enrolment])]
  const needed = used.some(({ revocation }) => revocation === 'require') ? 'required' : 'wanted'
  const graceSeconds = Math.max(0, ...used.map(({ crlGraceSeconds }) => crlGraceSeconds))
  const addresses = new Set(anchors.tpm.crlSources.map(({ address }) => address))
  return [...addresses].filter((address) => !documents.has(address)).map((address) => ({ address, needed, graceSeconds }))
}

function usedPolicies({ config, policies }: Parts): readonly ActivePolicy[] {
  const used = new Set(config.audiences.flatMap((audience) => audience.policies))
  return policies.all().filter(({ reference }) => used.has(reference.name))
}
