import type { TpmClaims } from '../verifiers/tpm/claims.ts'
import type { BootClaims } from '../verifiers/tpm/boot/claims.ts'
import type { Detail } from './detail.ts'

/**
 * What relying parties match, by the names of the appraisal. Left to the appraisal: what names the key (its name, its certificate), which `sub`
 * replaces, the endorsement key, which `host_id` replaces, and lists that a boot makes as long as it likes.
 */
export function leanTpm(tpm: TpmClaims, detail: Detail): object {
  return {
    ak_trust: tpm.ak_trust,
    // Who enrolled decides what the trust is worth, so it is told however little else is.
    enrolment_basis: tpm.ek?.basis,
    ak_attributes_verified: tpm.ak.attributes_verified,
    bank: tpm.bank,
    pcrs: PCRS[detail](tpm.pcrs),
    ...(detail === 'bare' ? {} : counters(tpm)),
    gce: tpm.gce === null || detail === 'bare' ? undefined : { ...tpm.gce, security_version: tpm.gce.security_version ?? undefined },
    boot: tpm.boot === null ? undefined : BOOT[detail](tpm.boot),
    ima:
      tpm.ima === null ? undefined : { attested_entries: tpm.ima.attested_entries, violations: tpm.ima.violations, value: tpm.ima.value },
  }
}

const counters = ({ clock, firmware_version, firmware_version_reliable }: TpmClaims): object => ({
  reset_count: clock.reset_count,
  restart_count: clock.restart_count,
  clock_safe: clock.safe,
  firmware_version: firmware_version_reliable ? firmware_version : undefined,
})

type Pcrs = TpmClaims['pcrs']

/** Registers of boot loader, kernel, Secure Boot and unified kernel images: what most relying parties match. */
const BOOT_PCRS: ReadonlySet<string> = new Set(['4', '7', '8', '9', '11', '12'])

const allPcrs = (pcrs: Pcrs): object => pcrs
const bootPcrs = (pcrs: Pcrs): object => Object.fromEntries(Object.entries(pcrs).filter(([index]) => BOOT_PCRS.has(index)))
const noPcrs = (): undefined => undefined

const PCRS = { all: allPcrs, most: allPcrs, least: bootPcrs, bare: noPcrs } as const satisfies Record<
  Detail,
  (pcrs: Pcrs) => object | undefined
>

const secureBoot = ({ secure_boot }: BootClaims): object => ({ secure_boot: secure_boot?.enabled })

/** Facts that are not known are absent. */
const wholeBoot = (boot: BootClaims): object => ({
  replayed: boot.replayed,
  secure_boot: boot.secure_boot?.enabled,
  kernel_cmdline: boot.kernel_cmdline ?? undefined,
  boot_applications: boot.boot_applications ?? undefined,
  scrtm_version: boot.scrtm_version ?? undefined,
})

const briefBoot = (boot: BootClaims): object => ({
  replayed: boot.replayed,
  secure_boot: boot.secure_boot?.enabled,
})

const BOOT = { all: wholeBoot, most: briefBoot, least: secureBoot, bare: secureBoot } as const satisfies Record<
  Detail,
  (boot: BootClaims) => object
>
