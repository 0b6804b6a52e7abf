import type { PcrBank } from '../verifiers/tpm/claims.ts'
import type { IntelRigour, Rigour } from '../verifiers/verifier.ts'
import type { AppraisalPolicy, TpmPolicy } from './policy.ts'
import { imaRulesOf } from './tpm/ima-rules.ts'

/** Policies never change, so what is asked of evidence is put together once for each. */
const known = new WeakMap<AppraisalPolicy, Rigour>()

/** The choices of a policy that the verifiers need, because they decide whether evidence counts as genuine. */
export function rigourOf(policy: AppraisalPolicy): Rigour {
  const rigour = known.get(policy) ?? chosenBy(policy)
  known.set(policy, rigour)
  return rigour
}

const chosenBy = ({ snp, tdx, sgx, tpm }: AppraisalPolicy): Rigour => ({
  snp: {
    revocation: snp.crl.mode,
    crlGraceSeconds: snp.crl.grace_seconds,
    skewSeconds: snp.crl.skew_seconds,
    maskedChipId: snp.masked_chip_id,
  },
  tdx: { ...datesOf(tdx), replayedRtmrs: tdx.event_log.replayed_rtmrs },
  sgx: datesOf(sgx),
  tpm: tpmRigour(tpm),
})

type Dates = Pick<AppraisalPolicy['sgx'], 'collateral_grace_seconds' | 'skew_seconds'>

const datesOf = (policy: Dates): IntelRigour => ({
  collateralGraceSeconds: policy.collateral_grace_seconds,
  skewSeconds: policy.skew_seconds,
})

function tpmRigour(policy: TpmPolicy): Rigour['tpm'] {
  const { ek, event_log: log, crl } = policy
  return {
    akTrust: policy.ak_trust,
    enrolledAks: policy.enrolled_aks ?? [],
    deniedAks: policy.denied_aks ?? [],
    deniedEks: ek.denied ?? [],
    akWithoutPublicArea: policy.ak_without_public_area,
    bases: ek.bases.map((basis) => (basis === 'DANGEROUSLY_ANY_GENUINE_TPM' ? 'any' : basis)),
    eks: ek.allowed ?? null,
    banks: banksOf(policy),
    requiredPcrs: requiredPcrs(policy),
    replayedPcrs: log.replayed_pcrs,
    exitBootServicesWorkaround: log.exit_boot_services_workaround,
    emptySecureBootVariable: log.empty_secure_boot_variable,
    efiAppBeforeCallingEvent: log.efi_app_before_calling_event,
    preSeparatorAuthority: policy.secure_boot.pre_separator_authority,
    bootloader: log.bootloader,
    revocation: crl.mode,
    crlGraceSeconds: crl.grace_seconds,
    skewSeconds: crl.skew_seconds,
    ima: imaRulesOf(policy.ima),
  }
}

/** An IMA list proves nothing without the register that it leads to. */
const requiredPcrs = ({ required_pcrs: named = [], ima }: TpmPolicy): readonly number[] =>
  ima.mode === 'off' ? named : [...new Set([...named, IMA_PCR])]

const IMA_PCR = 10

/** Strongest first. */
const STRENGTH: readonly PcrBank[] = ['sha512', 'sha384', 'sha256', 'sha1']

/** A bank that the policy has no values for would be relied on in vain. */
function banksOf({ banks, pcrs }: TpmPolicy): readonly PcrBank[] {
  const named = banks?.map((bank) => (bank === 'DANGEROUSLY_SHA1' ? 'sha1' : bank))
  const listed = pcrs !== undefined ? STRENGTH.filter((bank) => bank !== 'sha1' && pcrs[bank] !== undefined) : undefined
  const accepted: readonly PcrBank[] = named ?? listed ?? ['sha512', 'sha384', 'sha256']
  return STRENGTH.filter((bank) => accepted.includes(bank))
}
