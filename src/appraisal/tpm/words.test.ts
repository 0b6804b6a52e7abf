import { describe, expect, it } from 'vitest'
import { hexOf } from '../../../test/appraisals.ts'
import { boot, secureBoot, tpmClaims } from '../../../test/tpm-claims.ts'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import { readPolicy } from '../read-policy.ts'
import { tpmChecks } from './rules.ts'

const a = hexOf(0xaa, 32)

/** A policy that asks everything, and is met in nothing. */
const ALL = {
  authorities: ['google'],
  algorithms: ['rsa-2048'],
  schemes: ['rsassa'],
  gce: { project_ids: ['p'], project_numbers: ['1'], zones: ['z'], instance_ids: ['7'], technologies: ['tdx'] },
  firmware_versions: ['0000000000000001'],
  min_firmware_version: 'ffffffffffffffff',
  pcrs: { sha256: { '4': [a], '7': [a] } },
  zero_pcrs: [12],
  extended_once: { '15': [a] },
  event_log: { required: 'require' },
  secure_boot: {
    enabled: 'require',
    pk: [a],
    kek: [a],
    db: [a],
    dbx: [a],
    authorities: [a],
    min_sbat_level: '2030010100',
    dma_protection_disabled: 'deny',
  },
  boot_applications: { match: 'exact', allowed: [a] },
  kernel_cmdline: { exact: ['x'], patterns: ['x'], required_tokens: ['x'], forbidden_tokens: ['ro'] },
  grub_files: [a],
  initrds: [a],
  mok: { MokList: [a] },
  scrtm_versions: ['x'],
  firmware_blobs: [a],
  uki: { images: [{ sections: { '.linux': a } }] },
  clock: { safe: 'require', reboot: 'refuse', compare_to_previous: 'yes' },
}

/** Digests of one byte over and over, told by that byte. */
const short = (text: string): string => text.replaceAll(/([0-9a-f]{2})\1{31}/g, '<$1>')

function told(tpm: object, claims: TpmClaims): readonly string[] {
  const { document } = readPolicy(JSON.stringify({ name: 'test', tpm }), 'test')
  return tpmChecks({ claims, policy: document.tpm }).map(
    ({ id, outcome, rule, actual, expected }) =>
      `${id} ${outcome} ${rule}: ${short(actual ?? '')}${expected === undefined ? '' : ` | ${short(expected)}`}`,
  )
}

const wrong: TpmClaims = {
  ...tpmClaims,
  clock: { ...tpmClaims.clock, safe: false, rebooted: true },
  boot: {
    ...boot,
    exit_boot_services: false,
    secure_boot: { ...secureBoot, enabled: false, debug_mode: true, dma_protection_disabled: true },
  },
}
const unknown: TpmClaims = { ...tpmClaims, boot: null, ak_certificate: null, firmware_version_reliable: false, pcrs: {} }

const WRONG = [
  'TPM-12 fail tpm.algorithms: ecc-p256 | rsa-2048',
  'TPM-13 fail tpm.schemes: ecdsa | rsassa',
  'TPM-19 fail tpm.authorities: assay | google',
  'TPM-24 fail tpm.gce.project_ids: not known | p',
  'TPM-24 fail tpm.gce.project_numbers: not known | 1',
  'TPM-24 fail tpm.gce.zones: not known | z',
  'TPM-24 fail tpm.gce.instance_ids: not known | 7',
  'TPM-39 fail tpm.clock.safe: not safe | safe',
  'TPM-39 fail tpm.clock.reboot: rebooted | one of not rebooted, first quote of this key',
  'TPM-40 fail tpm.firmware_versions: 2016051100162800 | 0000000000000001',
  'TPM-40 fail tpm.min_firmware_version: 2016051100162800 | at least ffffffffffffffff',
  'TPM-41 pass tpm.unnamed_boot: pcrs, boot_applications, secure_boot.authorities | values of PCR 4 or 7, boot_applications, or secure_boot.authorities',
  'TPM-41 fail tpm.pcrs.sha256.4: <05> | <aa>',
  'TPM-41 fail tpm.pcrs.sha256.7: <08> | <aa>',
  'TPM-42 pass tpm.event_log.required: 80 events | an event log',
  'TPM-51 fail tpm.secure_boot.debug_mode: yes | no',
  'TPM-51 fail tpm.secure_boot.dma_protection_disabled: yes | no',
  'TPM-52 fail tpm.secure_boot.enabled: off | on',
  'TPM-53 fail tpm.secure_boot.pk: <91> | <aa>',
  'TPM-53 fail tpm.secure_boot.kek: <92> | <aa>',
  'TPM-53 fail tpm.secure_boot.db: <93> | <aa>',
  'TPM-53 fail tpm.secure_boot.dbx: 1 entries, of which 1 wanted ones are missing | <aa>',
  'TPM-53 fail tpm.secure_boot.authorities: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.min_sbat_level: not known | at least 2030010100',
  'TPM-53 fail tpm.mok.MokList: <63> | <aa>',
  'TPM-54 fail tpm.boot_applications: no such event | Exit Boot Services Invocation in PCR 5',
  'TPM-55 fail tpm.boot_applications: <a1>, <a2>, <a3> | exactly <aa>',
  'TPM-41 fail tpm.grub_files: <61> | <aa>',
  'TPM-41 fail tpm.initrds: <62> | <aa>',
  'TPM-57 fail tpm.kernel_cmdline.exact: /vmlinuz root=/dev/sda1 ro | x',
  'TPM-57 fail tpm.kernel_cmdline.patterns: /vmlinuz root=/dev/sda1 ro | x',
  'TPM-57 fail tpm.kernel_cmdline.required_tokens: /vmlinuz root=/dev/sda1 ro | x',
  'TPM-57 fail tpm.kernel_cmdline.forbidden_tokens: /vmlinuz root=/dev/sda1 ro | ro',
  'TPM-58 fail tpm.scrtm_versions: GCE Virtual Firmware v2 | x',
  'TPM-58 fail tpm.firmware_blobs: <f1> | <aa>',
  'TPM-58 fail tpm.gce.technologies: none | tdx',
  'TPM-59 fail tpm.uki.images: <0c> | one of 1 images',
  'TPM-59 skip tpm.uki.phases: <0c>',
  'TPM-60 fail tpm.zero_pcrs: <0d> | zero',
  'TPM-60 fail tpm.extended_once: <10> | extended with <aa>',
  'TPM-61 skip tpm.ima.mode: sent',
]

const UNKNOWN = [
  'TPM-12 fail tpm.algorithms: ecc-p256 | rsa-2048',
  'TPM-13 fail tpm.schemes: ecdsa | rsassa',
  'TPM-19 fail tpm.authorities: not known | google',
  'TPM-24 fail tpm.gce.project_ids: not known | p',
  'TPM-24 fail tpm.gce.project_numbers: not known | 1',
  'TPM-24 fail tpm.gce.zones: not known | z',
  'TPM-24 fail tpm.gce.instance_ids: not known | 7',
  'TPM-39 pass tpm.clock.safe: safe | safe',
  'TPM-39 pass tpm.clock.reboot: first quote of this key | one of not rebooted, first quote of this key',
  'TPM-40 fail tpm.firmware_versions: not known | 0000000000000001',
  'TPM-40 fail tpm.min_firmware_version: not known | at least ffffffffffffffff',
  'TPM-41 pass tpm.unnamed_boot: pcrs, boot_applications, secure_boot.authorities | values of PCR 4 or 7, boot_applications, or secure_boot.authorities',
  'TPM-41 fail tpm.pcrs.sha256.4: not quoted | <aa>',
  'TPM-41 fail tpm.pcrs.sha256.7: not quoted | <aa>',
  'TPM-42 fail tpm.event_log.required: no log | an event log',
  'TPM-51 skip tpm.secure_boot.debug_mode: not known',
  'TPM-51 fail tpm.secure_boot.dma_protection_disabled: not known | no',
  'TPM-52 fail tpm.secure_boot.enabled: not proven | on',
  'TPM-53 fail tpm.secure_boot.pk: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.kek: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.db: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.dbx: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.authorities: not known | <aa>',
  'TPM-53 fail tpm.secure_boot.min_sbat_level: not known | at least 2030010100',
  'TPM-53 fail tpm.mok.MokList: not known | <aa>',
  'TPM-54 fail tpm.boot_applications: no such event | Exit Boot Services Invocation in PCR 5',
  'TPM-55 fail tpm.boot_applications: not known | exactly <aa>',
  'TPM-41 fail tpm.grub_files: not known | <aa>',
  'TPM-41 fail tpm.initrds: not known | <aa>',
  'TPM-57 fail tpm.kernel_cmdline.exact: not known | x',
  'TPM-57 fail tpm.kernel_cmdline.patterns: not known | x',
  'TPM-57 fail tpm.kernel_cmdline.required_tokens: not known | x',
  'TPM-57 fail tpm.kernel_cmdline.forbidden_tokens: not known | ro',
  'TPM-58 fail tpm.scrtm_versions: not known | x',
  'TPM-58 fail tpm.firmware_blobs: not known | <aa>',
  'TPM-58 fail tpm.gce.technologies: not known | tdx',
  'TPM-59 fail tpm.uki.images: not quoted | one of 1 images',
  'TPM-59 skip tpm.uki.phases: not quoted',
  'TPM-60 fail tpm.zero_pcrs: not quoted | zero',
  'TPM-60 fail tpm.extended_once: not quoted | extended with <aa>',
  'TPM-61 skip tpm.ima.mode: sent',
]

const UNASKED = [
  'TPM-12 skip tpm.algorithms: ecc-p256',
  'TPM-13 skip tpm.schemes: ecdsa',
  'TPM-19 skip tpm.authorities: assay',
  'TPM-24 skip tpm.gce.project_ids: not known',
  'TPM-24 skip tpm.gce.project_numbers: not known',
  'TPM-24 skip tpm.gce.zones: not known',
  'TPM-24 skip tpm.gce.instance_ids: not known',
  'TPM-39 skip tpm.clock.safe: safe',
  'TPM-39 skip tpm.clock.reboot: first quote of this key',
  'TPM-40 skip tpm.firmware_versions: 2016051100162800',
  'TPM-40 skip tpm.min_firmware_version: 2016051100162800',
  'TPM-41 fail tpm.unnamed_boot: nothing | values of PCR 4 or 7, boot_applications, or secure_boot.authorities',
  'TPM-41 skip tpm.pcrs: bank sha256',
  'TPM-42 skip tpm.event_log.required: 80 events',
  'TPM-51 pass tpm.secure_boot.debug_mode: no | no',
  'TPM-51 skip tpm.secure_boot.dma_protection_disabled: no',
  'TPM-52 skip tpm.secure_boot.enabled: on',
  'TPM-53 skip tpm.secure_boot.pk: <91>',
  'TPM-53 skip tpm.secure_boot.kek: <92>',
  'TPM-53 skip tpm.secure_boot.db: <93>',
  'TPM-53 skip tpm.secure_boot.dbx: 1 entries',
  'TPM-53 skip tpm.secure_boot.authorities: <93>',
  'TPM-53 skip tpm.secure_boot.min_sbat_level: 2024010900',
  'TPM-54 skip tpm.boot_applications: Exit Boot Services Invocation',
  'TPM-55 skip tpm.boot_applications: <a1>, <a2>, <a3>',
  'TPM-41 skip tpm.grub_files: <61>',
  'TPM-41 skip tpm.initrds: <62>',
  'TPM-57 skip tpm.kernel_cmdline.exact: /vmlinuz root=/dev/sda1 ro',
  'TPM-57 skip tpm.kernel_cmdline.patterns: /vmlinuz root=/dev/sda1 ro',
  'TPM-57 skip tpm.kernel_cmdline.required_tokens: /vmlinuz root=/dev/sda1 ro',
  'TPM-57 skip tpm.kernel_cmdline.forbidden_tokens: /vmlinuz root=/dev/sda1 ro',
  'TPM-58 skip tpm.scrtm_versions: GCE Virtual Firmware v2',
  'TPM-58 skip tpm.firmware_blobs: <f1>',
  'TPM-58 skip tpm.gce.technologies: none',
  'TPM-59 skip tpm.uki.images: <0c>',
  'TPM-59 skip tpm.uki.phases: <0c>',
  'TPM-61 skip tpm.ima.mode: sent',
]

const NOTHING = [
  'TPM-12 skip tpm.algorithms: ecc-p256',
  'TPM-13 skip tpm.schemes: ecdsa',
  'TPM-19 skip tpm.authorities: not known',
  'TPM-24 skip tpm.gce.project_ids: not known',
  'TPM-24 skip tpm.gce.project_numbers: not known',
  'TPM-24 skip tpm.gce.zones: not known',
  'TPM-24 skip tpm.gce.instance_ids: not known',
  'TPM-39 skip tpm.clock.safe: safe',
  'TPM-39 skip tpm.clock.reboot: first quote of this key',
  'TPM-40 skip tpm.firmware_versions: not known',
  'TPM-40 skip tpm.min_firmware_version: not known',
  'TPM-41 fail tpm.unnamed_boot: nothing | values of PCR 4 or 7, boot_applications, or secure_boot.authorities',
  'TPM-41 skip tpm.pcrs: bank sha256',
  'TPM-42 skip tpm.event_log.required: no log',
  'TPM-51 skip tpm.secure_boot.debug_mode: not known',
  'TPM-51 skip tpm.secure_boot.dma_protection_disabled: not known',
  'TPM-52 skip tpm.secure_boot.enabled: not proven',
  'TPM-53 skip tpm.secure_boot.pk: not known',
  'TPM-53 skip tpm.secure_boot.kek: not known',
  'TPM-53 skip tpm.secure_boot.db: not known',
  'TPM-53 skip tpm.secure_boot.dbx: 0 entries',
  'TPM-53 skip tpm.secure_boot.authorities: not known',
  'TPM-53 skip tpm.secure_boot.min_sbat_level: not known',
  'TPM-54 skip tpm.boot_applications: no such event',
  'TPM-55 skip tpm.boot_applications: not known',
  'TPM-41 skip tpm.grub_files: not known',
  'TPM-41 skip tpm.initrds: not known',
  'TPM-57 skip tpm.kernel_cmdline.exact: not known',
  'TPM-57 skip tpm.kernel_cmdline.patterns: not known',
  'TPM-57 skip tpm.kernel_cmdline.required_tokens: not known',
  'TPM-57 skip tpm.kernel_cmdline.forbidden_tokens: not known',
  'TPM-58 skip tpm.scrtm_versions: not known',
  'TPM-58 skip tpm.firmware_blobs: not known',
  'TPM-58 skip tpm.gce.technologies: not known',
  'TPM-59 skip tpm.uki.images: not quoted',
  'TPM-59 skip tpm.uki.phases: not quoted',
  'TPM-61 skip tpm.ima.mode: sent',
]

/** What is told of so many boot applications. */
function booted(count: number): string {
  const boot_applications = Array.from({ length: count }, (_, at) => hexOf(at + 1, 32))
  return told({}, { ...tpmClaims, boot: { ...boot, boot_applications } }).find((line) => line.startsWith('TPM-55')) ?? ''
}

describe('every rule about a TPM', () => {
  it('says what was found, what is wanted, and where the policy says so', () => expect(told(ALL, wrong)).toEqual(WRONG))
  it('says what is not known, and takes it for nothing good', () => expect(told(ALL, unknown)).toEqual(UNKNOWN))
  it('says what was found also where it is not asked', () => expect(told({}, tpmClaims)).toEqual(UNASKED))
  it('tells the first eight of a long list, and how many there are', () => {
    expect(booted(9)).toMatch(/: <01>, <02>, <03>, <04>, <05>, <06>, <07>, <08>, … \(9 in all\)$/)
    expect(booted(8)).toMatch(/: <01>, <02>, <03>, <04>, <05>, <06>, <07>, <08>$/)
    expect(booted(0)).toMatch(/: none$/)
  })
  it('says so too where nothing is known', () => expect(told({}, unknown)).toEqual(NOTHING))
})
