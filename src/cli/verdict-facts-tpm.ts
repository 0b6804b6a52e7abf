import type { BootClaims } from '../verifiers/tpm/boot/claims.ts'
import type { TpmClaims } from '../verifiers/tpm/claims.ts'
import type { ImaClaims } from '../verifiers/tpm/ima/claims.ts'
import type { Fact } from './verdict-facts.ts'

/** What is worth knowing of a genuine TPM quote, besides its checks. */
export const tpmFacts = (tpm: TpmClaims): readonly Fact[] => [
  ['product', `TPM 2.0, firmware ${tpm.firmware_version}${tpm.firmware_version_reliable ? '' : ' (may be hidden by the TPM)'}`],
  ['attestation key', `${tpm.ak.algorithm} ${tpm.ak.scheme}, ${tpm.ak.name ?? 'known by its certificate alone'}`],
  ['trusted by', trustText(tpm)],
  ['revocation', tpm.revocation],
  ['clock', clockText(tpm.clock)],
  ...Object.entries(tpm.pcrs).map(([index, value]): Fact => [`PCR ${index} (${tpm.bank})`, value]),
  ...(tpm.boot === null ? [] : bootFacts(tpm.boot)),
  ...(tpm.ima === null ? [] : imaFacts(tpm.ima)),
]

function trustText({ ak_trust: trust, ak_certificate: certificate, ek, gce }: TpmClaims): string {
  const by = certificate === null ? '' : `, ${certificate.authority}, until ${certificate.not_after}`
  const host = ek === null ? '' : `, EK ${ek.public_key_sha256} (${ek.basis})`
  return `${trust}${by}${host}${gce === null ? '' : `, instance ${gce.instance_id} of ${gce.project_id} in ${gce.zone}`}`
}

const clockText = ({ clock, reset_count: resets, restart_count: restarts, safe }: TpmClaims['clock']): string =>
  `${clock} ms, ${resets} resets, ${restarts} restarts, ${safe ? 'safe' : 'not safe'}`

const known = (value: string | null): string => value ?? 'not proven'

const bootFacts = (boot: BootClaims): readonly Fact[] => [
  ['event log', `${boot.events} events, PCRs ${boot.replayed.join(', ')} replay`],
  ['Secure Boot', boot.secure_boot === null ? 'not proven' : boot.secure_boot.enabled ? 'in effect' : 'not in effect'],
  ...(boot.boot_applications ?? []).map((digest): Fact => ['booted', digest]),
  ['kernel command line', known(boot.kernel_cmdline)],
  ['firmware', known(boot.scrtm_version)],
]

const imaFacts = (ima: ImaClaims): readonly Fact[] => [
  ['IMA list', `${ima.attested_entries} entries attested, ${ima.unattested_entries} behind them`],
  ['violations', String(ima.violations)],
]
