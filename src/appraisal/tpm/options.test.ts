import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { hexOf } from '../../../test/appraisals.ts'
import { boot, secureBoot, tpmClaims } from '../../../test/tpm-claims.ts'
import type { BootClaims, SecureBootClaims } from '../../verifiers/tpm/boot/claims.ts'
import { predictPcr11 } from '../../verifiers/tpm/boot/uki.ts'
import type { GceClaims, TpmClaims } from '../../verifiers/tpm/claims.ts'
import type { Claims, Finding } from '../../verifiers/verifier.ts'
import { appraise } from '../appraise.ts'
import type { Judgement } from '../appraisal.ts'
import { PolicyError, readPolicy } from '../read-policy.ts'

type Options = { readonly [option: string]: unknown }

const genuine = (claims: Claims): Finding => ({
  checks: [{ id: 'TPM-17', title: 'The signature verifies', outcome: 'pass', origin: 'specification' }],
  claims,
  validUntil: new Date('2026-12-01T00:00:00Z'),
})

const judged = (tpm: Options, claims: TpmClaims, more: Options = {}): Judgement =>
  appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy: readPolicy(JSON.stringify({ name: 'test', tpm, ...more }), 'test'),
    items: [{ type: 'tpm', finding: genuine({ tpm: claims }), fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  })

const is = (changes: Partial<TpmClaims>): TpmClaims => ({ ...tpmClaims, ...changes })
const ak = (changes: Partial<TpmClaims['ak']>): TpmClaims => is({ ak: { ...tpmClaims.ak, ...changes } })
const log = (changes: Partial<BootClaims>): TpmClaims => is({ boot: { ...boot, ...changes } })
const keys = (changes: Partial<SecureBootClaims>): TpmClaims => log({ secure_boot: { ...secureBoot, ...changes } })
const line = (kernel_cmdline: string | null): TpmClaims => log({ kernel_cmdline })
const pcr = (index: number, value: string | undefined): TpmClaims => {
  const { [index]: _, ...others } = tpmClaims.pcrs
  return is({ pcrs: value === undefined ? others : { ...others, [index]: value } })
}
const clock = (changes: Partial<TpmClaims['clock']>): TpmClaims => is({ clock: { ...tpmClaims.clock, ...changes } })
const unlogged = is({ boot: null })

const [a, b] = [hexOf(0xaa, 32), hexOf(0xbb, 32)]
const zero = hexOf(0, 32)
const once = createHash('sha256').update(Buffer.from(zero, 'hex')).update(Buffer.from(a, 'hex')).digest('hex')

const instance: GceClaims = {
  zone: 'us-central1-a',
  project_number: '12',
  project_id: 'ours',
  instance_id: '18446744073709551615',
  instance_name: 'n',
  security_version: null,
}
const gce = (changes: Partial<GceClaims>): TpmClaims => is({ gce: { ...instance, ...changes } })
const certified = (authority: string): TpmClaims =>
  is({ ak_certificate: tpmClaims.ak_certificate === null ? null : { ...tpmClaims.ak_certificate, authority } })

const linux = { name: '.linux', digest: Buffer.from(a, 'hex') } as const
const images = [{ sections: { '.linux': a } }]
const ready = ['enter-initrd', 'leave-initrd', 'sysinit', 'ready'] as const
const pcr11 = (digest: string, phases: Parameters<typeof predictPcr11>[1]): TpmClaims =>
  pcr(
    11,
    Buffer.from(predictPcr11([{ ...linux, digest: Buffer.from(digest, 'hex') }], phases, 'sha256').at(-1)?.value ?? []).toString('hex'),
  )

const applications = boot.boot_applications ?? []

/** Option under test, claims that it refuses, claims that it accepts, the code; the refused claims pass when the option is left out. */
type Row = readonly [options: Options, refused: TpmClaims, accepted: TpmClaims, code: string]

const ROWS: readonly Row[] = [
  [{ authorities: ['google'] }, certified('azure'), certified('google'), 'tpm-ak-untrusted'],
  [{ authorities: ['google'] }, is({ ak_certificate: null }), certified('google'), 'tpm-ak-untrusted'],
  [{ algorithms: ['ecc-p256'] }, ak({ algorithm: 'rsa-2048' }), tpmClaims, 'tpm-ak-key-weak'],
  [{ schemes: ['ecdsa'] }, ak({ scheme: 'rsassa' }), tpmClaims, 'tpm-signature-scheme-mismatch'],
  [{ gce: { project_ids: ['ours'] } }, gce({ project_id: 'theirs' }), gce({}), 'tpm-gce-identity-not-allowed'],
  [{ gce: { project_ids: ['ours'] } }, tpmClaims, gce({}), 'tpm-gce-identity-not-allowed'],
  [{ gce: { project_numbers: ['12'] } }, gce({ project_number: '13' }), gce({}), 'tpm-gce-identity-not-allowed'],
  [{ gce: { zones: ['us-central1-a'] } }, gce({ zone: 'us-central1-b' }), gce({}), 'tpm-gce-identity-not-allowed'],
  [{ gce: { instance_ids: ['18446744073709551615'] } }, gce({ instance_id: '1' }), gce({}), 'tpm-gce-identity-not-allowed'],
  [{ gce: { technologies: ['sev-snp'] } }, log({ gce_technology: 3 }), log({ gce_technology: 4 }), 'tpm-gce-technology-not-allowed'],
  [{ gce: { technologies: ['none'] } }, log({ gce_technology: null }), log({ gce_technology: 0 }), 'tpm-gce-technology-not-allowed'],
  [{ firmware_versions: ['2016051100162800'] }, is({ firmware_version: '2016051100162801' }), tpmClaims, 'tpm-firmware-not-allowed'],
  [{ firmware_versions: ['2016051100162800'] }, is({ firmware_version_reliable: false }), tpmClaims, 'tpm-firmware-not-allowed'],
  [{ min_firmware_version: '2016051100162800' }, is({ firmware_version: '20160511001627ff' }), tpmClaims, 'tpm-firmware-not-allowed'],
  [{ min_firmware_version: '2016051100162800' }, is({ firmware_version_reliable: false }), tpmClaims, 'tpm-firmware-not-allowed'],
  [{ pcrs: { sha256: { '4': [a] } } }, pcr(4, b), pcr(4, a), 'tpm-pcr-value-not-allowed'],
  [{ pcrs: { sha256: { '4': [a, b] } } }, pcr(4, hexOf(0xcc, 32)), pcr(4, b), 'tpm-pcr-value-not-allowed'],
  [{ pcrs: { sha256: { '4': [a] } } }, pcr(4, undefined), pcr(4, a), 'tpm-pcr-not-quoted'],
  [
    { pcrs: { sha384: { '4': [hexOf(0xaa, 48)] } } },
    pcr(4, a),
    is({ bank: 'sha384', pcrs: { '4': hexOf(0xaa, 48) } }),
    'tpm-pcr-value-not-allowed',
  ],
  [{ zero_pcrs: [12] }, pcr(12, a), pcr(12, zero), 'tpm-pcr-value-not-allowed'],
  [{ zero_pcrs: [12] }, pcr(12, undefined), pcr(12, zero), 'tpm-pcr-not-quoted'],
  [{ extended_once: { '15': [a] } }, pcr(15, a), pcr(15, once), 'tpm-pcr-value-not-allowed'],
  [
    { extended_once: { '15': [b] } },
    pcr(15, zero),
    pcr(
      15,
      createHash('sha256')
        .update(Buffer.from(zero + b, 'hex'))
        .digest('hex'),
    ),
    'tpm-pcr-value-not-allowed',
  ],
  [{ extended_once: { '15': [a] } }, pcr(15, undefined), pcr(15, once), 'tpm-pcr-not-quoted'],
  [{ event_log: { required: 'require' } }, unlogged, tpmClaims, 'tpm-eventlog-missing'],
  [{ secure_boot: { enabled: 'require' } }, keys({ enabled: false }), tpmClaims, 'tpm-secureboot-disabled'],
  [{ secure_boot: { enabled: 'require' } }, unlogged, tpmClaims, 'tpm-secureboot-disabled'],
  [{ secure_boot: { dma_protection_disabled: 'deny' } }, keys({ dma_protection_disabled: true }), tpmClaims, 'tpm-dma-protection-disabled'],
  [
    { secure_boot: { pk: secureBoot.pk.certificates } },
    keys({ pk: { ...secureBoot.pk, certificates: [a] } }),
    tpmClaims,
    'tpm-secureboot-keys-not-allowed',
  ],
  [
    { secure_boot: { kek: secureBoot.kek.certificates } },
    keys({ kek: { certificates: [], sha256: [], unhandled: 0 } }),
    tpmClaims,
    'tpm-secureboot-keys-not-allowed',
  ],
  [
    { secure_boot: { db: secureBoot.db.certificates } },
    keys({ db: { ...secureBoot.db, unhandled: 1 } }),
    tpmClaims,
    'tpm-secureboot-keys-not-allowed',
  ],
  [
    { secure_boot: { db: secureBoot.db.certificates } },
    keys({ db: { ...secureBoot.db, sha256: [a] } }),
    tpmClaims,
    'tpm-secureboot-keys-not-allowed',
  ],
  [{ secure_boot: { db: secureBoot.db.certificates } }, unlogged, tpmClaims, 'tpm-secureboot-keys-not-allowed'],
  [
    { secure_boot: { dbx: secureBoot.dbx.sha256 } },
    keys({ dbx: { ...secureBoot.dbx, sha256: [a] } }),
    tpmClaims,
    'tpm-secureboot-dbx-outdated',
  ],
  [{ secure_boot: { dbx: secureBoot.dbx.sha256 } }, unlogged, tpmClaims, 'tpm-secureboot-dbx-outdated'],
  [
    { secure_boot: { authorities: [hexOf(0x93, 32)] } },
    keys({ authorities: [...secureBoot.authorities, { sha256: a, variable: 'Shim', pre_separator: false }] }),
    tpmClaims,
    'tpm-secureboot-authority-not-allowed',
  ],
  [{ secure_boot: { authorities: [hexOf(0x93, 32)] } }, keys({ authorities: [] }), tpmClaims, 'tpm-secureboot-authority-not-allowed'],
  // Without Secure Boot whatever was booted extends PCR 7 with the authorities that it likes.
  [{ secure_boot: { authorities: [hexOf(0x93, 32)] } }, keys({ enabled: false }), tpmClaims, 'tpm-secureboot-authority-not-allowed'],
  [{ secure_boot: { min_sbat_level: '2024010900' } }, keys({ enabled: false }), tpmClaims, 'tpm-secureboot-dbx-outdated'],
  [
    { secure_boot: { min_sbat_level: '2024010900' } },
    keys({ sbat_level: 'sbat,1,2023012900\nshim,2\n' }),
    tpmClaims,
    'tpm-secureboot-dbx-outdated',
  ],
  [
    { secure_boot: { min_sbat_level: '2024010900' } },
    keys({ sbat_level: 'shim,1,2099010900\n' }),
    tpmClaims,
    'tpm-secureboot-dbx-outdated',
  ],
  [{ secure_boot: { min_sbat_level: '2024010900' } }, keys({ sbat_level: null }), tpmClaims, 'tpm-secureboot-dbx-outdated'],
  [{ mok: { MokList: [hexOf(0x63, 32)] } }, log({ mok: { MokList: a } }), tpmClaims, 'tpm-secureboot-keys-not-allowed'],
  [{ mok: { MokList: [hexOf(0x63, 32)] } }, log({ mok: null }), tpmClaims, 'tpm-secureboot-keys-not-allowed'],
  [
    { boot_applications: { allowed: applications } },
    log({ boot_applications: [...applications, a] }),
    tpmClaims,
    'tpm-boot-app-not-allowed',
  ],
  [{ boot_applications: { allowed: applications } }, log({ boot_applications: [] }), tpmClaims, 'tpm-boot-app-not-allowed'],
  [{ boot_applications: { allowed: applications } }, log({ boot_applications: null }), tpmClaims, 'tpm-boot-app-not-allowed'],
  [{ boot_applications: { allowed: applications } }, log({ exit_boot_services: false }), tpmClaims, 'tpm-exit-boot-services-missing'],
  [
    { boot_applications: { match: 'exact', allowed: applications } },
    log({ boot_applications: applications.toReversed() }),
    tpmClaims,
    'tpm-boot-app-not-allowed',
  ],
  [
    { boot_applications: { match: 'exact', allowed: applications } },
    log({ boot_applications: applications.slice(0, 2) }),
    tpmClaims,
    'tpm-boot-app-not-allowed',
  ],
  [
    { boot_applications: { match: 'first', allowed: [a] } },
    log({ boot_applications: [b, a] }),
    log({ boot_applications: [a, b] }),
    'tpm-boot-app-not-allowed',
  ],
  [
    { boot_applications: { match: 'first', allowed: [a] } },
    log({ boot_applications: [] }),
    log({ boot_applications: [a, b] }),
    'tpm-boot-app-not-allowed',
  ],
  [{ grub_files: [hexOf(0x61, 32)] }, log({ grub_files: [a] }), tpmClaims, 'tpm-boot-app-not-allowed'],
  [{ grub_files: [hexOf(0x61, 32)] }, log({ grub_files: null }), tpmClaims, 'tpm-boot-app-not-allowed'],
  [{ initrds: [hexOf(0x62, 32)] }, log({ initrds: [a] }), tpmClaims, 'tpm-boot-app-not-allowed'],
  [{ kernel_cmdline: { exact: ['ro quiet'] } }, line('ro'), line('ro quiet'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { exact: ['ro quiet'] } }, line(null), line('ro quiet'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { patterns: ['ro( quiet)?'] } }, line('ro quiet init=/bin/sh'), line('ro quiet'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { patterns: ['x|ro'] } }, line('xy'), line('ro'), 'tpm-kernel-cmdline-not-allowed'],
  [
    { kernel_cmdline: { required_tokens: ['ima_policy=tcb'] } },
    line('ro ima_policy=tcb2'),
    line('ima-policy=tcb ro'),
    'tpm-kernel-cmdline-not-allowed',
  ],
  [{ kernel_cmdline: { forbidden_tokens: ['init='] } }, line('ro init=/bin/sh'), line('ro rdinit=/x'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { forbidden_tokens: ['init='] } }, line('ro "init=/bin/sh"'), line('ro'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { forbidden_tokens: ['ima_policy=off'] } }, line('ro\tima-policy=off'), line('ro'), 'tpm-kernel-cmdline-not-allowed'],
  [{ kernel_cmdline: { forbidden_tokens: ['init='] } }, line(null), line('ro'), 'tpm-kernel-cmdline-not-allowed'],
  [{ scrtm_versions: ['v2'] }, log({ scrtm_version: 'v1' }), log({ scrtm_version: 'v2' }), 'tpm-firmware-version-not-allowed'],
  [{ scrtm_versions: ['v2'] }, log({ scrtm_version: null }), log({ scrtm_version: 'v2' }), 'tpm-firmware-version-not-allowed'],
  [{ firmware_blobs: [hexOf(0xf1, 32)] }, log({ firmware_blobs: [hexOf(0xf1, 32), a] }), tpmClaims, 'tpm-firmware-version-not-allowed'],
  [{ firmware_blobs: [hexOf(0xf1, 32)] }, log({ firmware_blobs: null }), tpmClaims, 'tpm-firmware-version-not-allowed'],
  [{ uki: { images } }, pcr11(b, ready), pcr11(a, ready), 'tpm-uki-measurement-mismatch'],
  [{ uki: { images } }, pcr11(a, [...ready, 'shutdown']), pcr11(a, ready), 'tpm-boot-phase-not-allowed'],
  [{ uki: { images } }, pcr11(a, []), pcr11(a, ready), 'tpm-boot-phase-not-allowed'],
  [{ uki: { images } }, pcr(11, undefined), pcr11(a, ready), 'tpm-uki-measurement-mismatch'],
  [{ clock: { safe: 'require' } }, clock({ safe: false }), tpmClaims, 'tpm-clock-unsafe'],
  [
    { clock: { reboot: 'refuse', compare_to_previous: 'yes' } },
    clock({ rebooted: true }),
    clock({ rebooted: null }),
    'tpm-reboot-not-allowed',
  ],
  [
    { clock: { reboot: 'refuse', compare_to_previous: 'yes' } },
    clock({ rebooted: true }),
    clock({ rebooted: false }),
    'tpm-reboot-not-allowed',
  ],
]

/** What may boot is another question than the one under test. */
const NAMED = { unnamed_boot: 'DANGEROUSLY_ALLOW' }

describe.each(ROWS)('%j', (options, refused, ...[accepted, code]) => {
  it('refuses, and accepts what it asks for', () => {
    expect(judged({ ...NAMED, ...options }, refused).code).toBe(code)
    expect(judged({ ...NAMED, ...options }, accepted).code).toBeUndefined()
  })

  it('is not asked where it is left out', () => {
    expect(judged(NAMED, refused).code).toBeUndefined()
  })
})

describe('what is asked of every host', () => {
  it('is that its firmware was not in debug mode', () => {
    expect(judged(NAMED, keys({ debug_mode: true })).code).toBe('tpm-uefi-debug-mode')
    expect(judged({ ...NAMED, secure_boot: { debug_mode: 'DANGEROUSLY_ALLOW' } }, keys({ debug_mode: true })).code).toBeUndefined()
  })

  it('is that their log, where there is one, tells of it', () => {
    expect(judged(NAMED, log({ secure_boot: null })).code).toBe('tpm-uefi-debug-mode')
    expect(judged({ ...NAMED, secure_boot: { debug_mode: 'DANGEROUSLY_ALLOW' } }, log({ secure_boot: null })).code).toBeUndefined()
    expect(judged(NAMED, unlogged).code).toBeUndefined()
  })

  it('is nothing that a log does not prove, where Secure Boot is asked for', () => {
    const asked = { ...NAMED, secure_boot: { enabled: 'require', debug_mode: 'DANGEROUSLY_ALLOW' } }
    expect(judged(asked, log({ secure_boot: null })).code).toBe('tpm-secureboot-disabled')
  })

  it('is that protection from DMA is proven where it is asked for', () => {
    const asked = { ...NAMED, secure_boot: { dma_protection_disabled: 'deny', debug_mode: 'DANGEROUSLY_ALLOW' } }
    expect(judged(asked, log({ secure_boot: null })).code).toBe('tpm-dma-protection-disabled')
    expect(judged(asked, unlogged).code).toBe('tpm-dma-protection-disabled')
  })

  it.each<[Options, boolean]>([
    [{}, false],
    [{ zero_pcrs: [4] }, false],
    [{ pcrs: { sha256: { '12': [zero] } } }, false],
    [{ pcrs: { sha256: { '15': [tpmClaims.pcrs['15']] } } }, false],
    [{ pcrs: { sha256: { '10': [tpmClaims.pcrs['10']] } } }, false],
    [{ pcrs: { sha256: { '16': [tpmClaims.pcrs['16']] } } }, false],
    [{ pcrs: { sha256: { '0': [tpmClaims.pcrs['0']] } } }, false],
    [{ pcrs: { sha256: { '11': [tpmClaims.pcrs['11']] } } }, false],
    [{ pcrs: { sha256: { '4': [tpmClaims.pcrs['4']] } } }, true],
    [{ pcrs: { sha256: { '7': [tpmClaims.pcrs['7']] } } }, true],
    [{ boot_applications: { allowed: applications } }, true],
    [{ secure_boot: { authorities: [hexOf(0x93, 32)] } }, true],
  ])('is that the policy says what may boot: %j', (options, names) => {
    const { zero_pcrs: _, ...others } = options
    const code = judged(others, is({ pcrs: { ...tpmClaims.pcrs, '12': zero } })).code
    expect(code).toBe(names ? undefined : 'tpm-boot-policy-missing')
  })

  it('is more than a kernel image that anything which was booted could have measured', () => {
    expect(judged({ uki: { images } }, pcr11(a, ready)).code).toBe('tpm-boot-policy-missing')
    expect(judged({ uki: { images }, boot_applications: { allowed: applications } }, pcr11(a, ready)).code).toBeUndefined()
  })

  it('is refused under a policy that does not take it', () => {
    expect(judged(NAMED, tpmClaims, { evidence: ['snp'] }).code).toBe('evidence-type-not-accepted')
  })
})

describe('a register of which the policy only warns', () => {
  it('is told, and refuses under `issue_on: affirming`', () => {
    const options = { ...NAMED, pcrs: { sha256: { '0': [a], '4': [b] } } }
    const warned = { warn: ['tpm.pcrs.sha256.0'], issue_on: 'warning' }
    expect(judged(options, is({ pcrs: { '0': b, '4': b } }), warned).code).toBeUndefined()
    expect(judged(options, is({ pcrs: { '0': a, '4': a } }), warned).code).toBe('tpm-pcr-value-not-allowed')
    expect(judged(options, is({ pcrs: { '0': b, '4': b } }), { warn: warned.warn }).code).toBe('tpm-pcr-value-not-allowed')
  })
})

describe('a policy about TPMs', () => {
  const problems = (tpm: Options, more: Options = {}): readonly string[] => {
    try {
      readPolicy(JSON.stringify({ name: 'test', tpm, ...more }), 'test')
      return []
    } catch (error) {
      if (!(error instanceof PolicyError)) throw error
      return error.problems.map(({ path }) => path)
    }
  }

  it.each<[string, Options, string]>([
    ['banks that list other PCRs', { pcrs: { sha256: { '4': [a] }, sha384: { '7': [hexOf(0xaa, 48)] } } }, 'tpm.pcrs'],
    ['a value of another length', { pcrs: { sha256: { '4': [hexOf(0xaa, 48)] } } }, 'tpm.pcrs.sha256.4[0]'],
    ['a PCR that there is not', { pcrs: { sha256: { '24': [a] } } }, 'tpm.pcrs.sha256.24'],
    ['a bank without a PCR', { pcrs: { sha256: {} } }, 'tpm.pcrs.sha256'],
    ['a placeholder', { pcrs: { sha256: { '4': ['ff'.repeat(32)] } } }, 'tpm.pcrs.sha256.4[0]'],
    ['a bank that it has no values for', { banks: ['sha384'], pcrs: { sha256: { '4': [a] } } }, 'tpm.banks'],
    ['a reboot that nobody can see', { clock: { reboot: 'refuse' } }, 'tpm.clock.reboot'],
    ['enrolled keys that do not count', { enrolled_aks: [`000b${a}`] }, 'tpm.enrolled_aks'],
    ['enrolled keys that are not listed', { ak_trust: ['enrolled-ak'] }, 'tpm.enrolled_aks'],
    ['only keys that are denied', { ak_trust: ['enrolled-ak'], enrolled_aks: [`000b${a}`], denied_aks: [`000b${a}`] }, 'tpm.enrolled_aks'],
    [
      'endorsement keys without activation',
      { ak_trust: ['enrolled-ak'], enrolled_aks: [`000b${a}`], ek: { allowed: [a] } },
      'tpm.ek.allowed',
    ],
    ['endorsement keys that a certified key passes by', { ek: { allowed: [a] } }, 'tpm.ek.allowed'],
    ['only endorsement keys that are denied', { ak_trust: ['ek-activation'], ek: { allowed: [a], denied: [a] } }, 'tpm.ek.allowed'],
    ['a pattern that is none', { kernel_cmdline: { patterns: ['('] } }, 'tpm.kernel_cmdline.patterns[0]'],
    ['a pattern with a look-ahead', { kernel_cmdline: { patterns: ['(?=x)x'] } }, 'tpm.kernel_cmdline.patterns[0]'],
    ['a pattern that is large when compiled', { kernel_cmdline: { patterns: ['((x{100}){100}){100}'] } }, 'tpm.kernel_cmdline.patterns[0]'],
    ['an image without a kernel', { uki: { images: [{ sections: { '.initrd': a } }] } }, 'tpm.uki.images[0].sections'],
    [
      'an image of two banks',
      { uki: { images: [{ sections: { '.linux': a, '.initrd': hexOf(0xaa, 48) } }] } },
      'tpm.uki.images[0].sections',
    ],
    ['a phase that there is not', { uki: { images, phases: ['enter-initrd:lunch'] } }, 'tpm.uki.phases[0]'],
    ['an unknown member', { pcr: {} }, 'tpm.pcr'],
  ])('is refused for %s', (_, options, path) => {
    expect(problems(options)).toEqual([path])
  })

  it('is not to warn of what decides whether a key is trusted', () => {
    expect(problems({}, { warn: ['tpm.ak_trust'] })).toEqual(['warn[0]'])
    expect(problems({}, { warn: ['tpm.pcrs.sha256.24'] })).toEqual(['warn[0]'])
    expect(problems({}, { warn: ['tpm.pcrs.sha256.23', 'tpm.clock.safe'] })).toEqual([])
  })

  const warned = (tpm: Options, ...warn: readonly string[]) => problems(tpm, { warn })

  it('is not to warn of all that says what may boot', () => {
    const both = { pcrs: { sha256: { '4': [a] }, sha384: { '4': [hexOf(0xaa, 48)] } } }
    const secured = { secure_boot: { authorities: [a] } }
    expect(warned(both, 'tpm.pcrs')).toEqual(['warn'])
    expect(warned(both, 'tpm.pcrs.sha256.4')).toEqual(['warn'])
    expect(warned({ ...NAMED, ...both }, 'tpm.pcrs')).toEqual([])
    expect(warned({ ...secured, ...both }, 'tpm.pcrs')).toEqual([])
    expect(warned(secured, 'tpm.secure_boot.authorities')).toEqual(['warn'])
    expect(warned({ boot_applications: { allowed: [a] } }, 'tpm.boot_applications')).toEqual(['warn'])
    expect(warned({ pcrs: { sha256: { '0': [a], '4': [a] } } }, 'tpm.pcrs.sha256.0')).toEqual([])
  })

  it('takes a pattern that a backtracking engine would not finish', () => {
    expect(judged({ ...NAMED, kernel_cmdline: { patterns: ['(a+)+b'] } }, line('a'.repeat(4000))).code).toBe(
      'tpm-kernel-cmdline-not-allowed',
    )
  })
})
