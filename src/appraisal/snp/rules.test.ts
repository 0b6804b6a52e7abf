import { describe, expect, it } from 'vitest'
import { genuine, goodTcb, soundClaims, vlekClaims } from '../../../test/snp-claims.ts'
import { policyTextFromShorthand } from '../../../test/policy-shorthand.ts'
import { SNP_PROBLEMS } from '../../verifiers/snp/problems.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { Judgement } from '../appraisal.ts'
import { appraise } from '../appraise.ts'
import { readPolicy } from '../read-policy.ts'
import { idKeys } from './keys.ts'
import { strict } from '../strict.ts'
import { codesOf } from '../verdict.ts'

type Options = { readonly [option: string]: unknown }

/** The lenient policy of the vectors with these members of `snp` in place of its own; undefined leaves one out. */
function judged(options: Options, claims: SnpClaims): Judgement {
  const lenient = JSON.parse(policyTextFromShorthand({})) as { snp: Options }
  const text = JSON.stringify({ ...lenient, snp: { ...lenient.snp, ...options } })
  return appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy: readPolicy(text, 'test'),
    items: [{ type: 'snp', finding: genuine(claims), fresh: true }],
    keyBinding: 'bound',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  })
}

const outcomes = ({ appraisal }: Judgement, outcome: 'fail' | 'warn') =>
  codesOf(
    appraisal.evidence.flatMap((item) => item.checks),
    outcome,
  )

const is = (changes: Partial<SnpClaims>): SnpClaims => ({ ...soundClaims, ...changes })
const guest = (changes: Partial<SnpClaims['policy']>) => is({ policy: { ...soundClaims.policy, ...changes } })
const host = (changes: Partial<SnpClaims['platform_info']>) => is({ platform_info: { ...soundClaims.platform_info, ...changes } })
const tcb = (changes: Partial<typeof goodTcb>) => ({ ...goodTcb, ...changes })
const model = (value: number) => is({ product: 'Genoa', cpuid: { family: 0x19, model: value, stepping: 1 } })
const turin = (fmc: number) =>
  is({ product: 'Turin', reported_tcb: { ...goodTcb, fmc }, current_tcb: { ...goodTcb, fmc }, committed_tcb: { ...goodTcb, fmc } })

const [a32, b32, a48, b48] = ['aa'.repeat(32), 'bb'.repeat(32), 'aa'.repeat(48), 'bb'.repeat(48)]

/** Option under test, claims that it refuses, claims that it accepts, the code; the refused claims pass when the option is left out. */
type Row = readonly [options: Options, refused: SnpClaims, accepted: SnpClaims, code: string]

const ROWS: readonly Row[] = [
  [{ min_report_version: 4 }, is({ version: 3 }), is({ version: 4 }), 'snp-report-version-below-minimum'],
  [{ max_report_version: 4 }, is({ version: 5 }), is({ version: 4 }), 'snp-report-version-unsupported'],
  [{ allowed_signing_keys: ['vlek'] }, soundClaims, vlekClaims, 'snp-signing-key-forbidden'],
  [{ allowed_signing_keys: ['vcek'] }, vlekClaims, soundClaims, 'snp-signing-key-forbidden'],
  [{ denied_hwids: ['06'.repeat(64)] }, soundClaims, is({ vek: { ...soundClaims.vek, hwid: '07'.repeat(64) } }), 'snp-vek-denied'],
  [
    { denied_hwids: ['07'.repeat(64)] },
    { ...vlekClaims, chip_id: '07'.repeat(64) },
    { ...vlekClaims, chip_id: '08'.repeat(64) },
    'snp-vek-denied',
  ],
  [{ denied_hwids: ['07'.repeat(64)] }, vlekClaims, soundClaims, 'snp-chip-id-unavailable'],
  [{ denied_vek_spki: ['5e'.repeat(32)] }, soundClaims, is({ vek: { ...soundClaims.vek, spki_sha256: a32 } }), 'snp-vek-denied'],
  [{ csp_ids: ['CN=other'] }, vlekClaims, { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=other' } }, 'snp-csp-id-untrusted'],
  [{ csp_ids: ['none'] }, { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: null } }, soundClaims, 'snp-csp-id-untrusted'],
  [{ csp_ids: ['CN=other'] }, vlekClaims, soundClaims, 'snp-csp-id-untrusted'],
  [
    { require_reported_not_above_committed: true },
    is({ committed_tcb: tcb({ snp: 23 }) }),
    soundClaims,
    'snp-tcb-reported-above-committed',
  ],
  [
    { min_tcb: { reported: { milan: { snp: 25 } } } },
    soundClaims,
    is({ reported_tcb: tcb({ snp: 25 }), committed_tcb: tcb({ snp: 25 }), current_tcb: tcb({ snp: 25 }) }),
    'snp-tcb-reported-below-minimum',
  ],
  [
    { min_tcb: { committed: { milan: { bootloader: 5 } } } },
    soundClaims,
    is({ committed_tcb: tcb({ bootloader: 5 }), current_tcb: tcb({ bootloader: 5 }) }),
    'snp-tcb-committed-below-minimum',
  ],
  [{ min_tcb: { current: { milan: { tee: 1 } } } }, soundClaims, is({ current_tcb: tcb({ tee: 1 }) }), 'snp-tcb-current-below-minimum'],
  [
    { min_tcb: { launch: { milan: { microcode: 220 } } } },
    soundClaims,
    is({ launch_tcb: tcb({ microcode: 220 }) }),
    'snp-tcb-launch-below-minimum',
  ],
  [{ min_tcb: { reported: { turin: { fmc: 2 } } } }, turin(1), turin(2), 'snp-tcb-reported-below-minimum'],
  [{ min_tcb: { reported: { genoa: 'any' } } }, soundClaims, model(0x11), 'snp-tcb-reported-below-minimum'],
  [
    { min_tcb: { reported: { cpuid: { '19_11': { microcode: 220 }, '19_a0': { microcode: 27 } } } } },
    model(0x11),
    model(0xa0),
    'snp-tcb-reported-below-minimum',
  ],
  [{ min_tcb: { reported: { cpuid: { '19_11': 'any' } } } }, model(0xa0), model(0x11), 'snp-tcb-reported-below-minimum'],
  [
    { min_tcb: { reported: { genoa: { snp: 24 }, cpuid: { '19_11': { microcode: 220 } } } } },
    model(0x11),
    model(0xa0),
    'snp-tcb-reported-below-minimum',
  ],
  [
    { min_tcb: { reported: { milan: 'any', cpuid: { '19_11': 'any' } } } },
    is({ version: 2, cpuid: null }),
    soundClaims,
    'snp-tcb-reported-below-minimum',
  ],
  [{ permit_provisional_firmware: false }, is({ current_tcb: tcb({ snp: 25 }) }), soundClaims, 'snp-firmware-provisional'],
  [{ permit_provisional_firmware: false }, is({ current_version: '1.55.30' }), soundClaims, 'snp-firmware-provisional'],
  [{ min_api_version: '1.56' }, soundClaims, is({ current_version: '2.0.0' }), 'snp-firmware-version-too-low'],
  [{ min_api_version: '1.55', min_build: 30 }, soundClaims, is({ current_version: '1.55.30' }), 'snp-firmware-version-too-low'],
  [{ min_api_version: '1.55', min_build: 30 }, soundClaims, is({ current_version: '1.56.1' }), 'snp-firmware-version-too-low'],
  [{ min_api_version: '1.55', min_build: 3 }, is({ current_version: '1.54.9' }), soundClaims, 'snp-firmware-version-too-low'],
  [{ advisories: { 'amd-sb-3019': 'refuse' } }, is({ reported_tcb: tcb({ snp: 0x17 }) }), soundClaims, 'snp-advisory-amd-sb-3019'],
  [{ advisories: { 'amd-sb-3019': 'refuse' } }, is({ launch_tcb: tcb({ snp: 0x17 }) }), model(0x11), 'snp-advisory-amd-sb-3019'],
  [
    { advisories: { 'amd-sb-3019': 'refuse' }, require_reported_not_above_committed: false },
    is({ committed_tcb: tcb({ snp: 0x17 }) }),
    is({ product: 'Turin', committed_tcb: tcb({ snp: 1 }) }),
    'snp-advisory-amd-sb-3019',
  ],
  [{ advisories: { 'amd-milan-vcek-seed-extraction': 'refuse' } }, soundClaims, model(0x11), 'snp-advisory-amd-milan-vcek-seed-extraction'],
  [{ advisories: { 'amd-milan-vcek-seed-extraction': 'refuse' } }, soundClaims, vlekClaims, 'snp-advisory-amd-milan-vcek-seed-extraction'],
  [
    { min_launch_mit_vector: '0x4' },
    soundClaims,
    is({ launch_mit_vector: '0x7', current_mit_vector: '0x7' }),
    'snp-mitigation-launch-missing',
  ],
  [{ min_current_mit_vector: '0xf' }, soundClaims, is({ current_mit_vector: '0x1f' }), 'snp-mitigation-current-missing'],
  [{ min_current_mit_vector: '0xb' }, is({ version: 4 }), soundClaims, 'snp-mitigation-current-missing'],
  [{ require_current_mit_superset_of_launch: true }, is({ launch_mit_vector: '0x10' }), soundClaims, 'snp-mitigation-lost'],
  [{ measurements: [a48] }, soundClaims, is({ measurement: a48 }), 'snp-measurement-mismatch'],
  [{ host_data: [a32, b32] }, soundClaims, is({ host_data: b32 }), 'snp-host-data-mismatch'],
  [{ family_id: ['aa'.repeat(16)] }, soundClaims, is({ family_id: 'aa'.repeat(16) }), 'snp-family-id-mismatch'],
  [{ image_id: ['aa'.repeat(16)] }, soundClaims, is({ image_id: 'aa'.repeat(16) }), 'snp-image-id-mismatch'],
  [{ report_id: [a32] }, soundClaims, is({ report_id: a32 }), 'snp-report-id-mismatch'],
  [{ report_id_ma: [a32] }, soundClaims, is({ report_id_ma: a32 }), 'snp-report-id-ma-mismatch'],
  [{ min_guest_svn: 4 }, soundClaims, is({ guest_svn: 4 }), 'snp-guest-svn-too-low'],
  [{ require_id_block: true }, soundClaims, is({ id_key_digest: a48 }), 'snp-id-block-required'],
  [{ trusted_id_key_digests: [a48] }, is({ id_key_digest: b48 }), is({ id_key_digest: a48 }), 'snp-id-key-untrusted'],
  [{ require_author_key: true }, soundClaims, is({ author_key_digest: a48 }), 'snp-author-key-required'],
  [{ trusted_author_key_digests: [a48] }, is({ author_key_digest: b48 }), is({ author_key_digest: a48 }), 'snp-author-key-untrusted'],
  [
    { guest_policy: { min_abi: '1.5' } },
    guest({ abi_major: 0, abi_minor: 9 }),
    guest({ abi_major: 1, abi_minor: 5 }),
    'snp-policy-abi-too-low',
  ],
  [
    { guest_policy: { min_abi: '1.5', debug: 'DANGEROUSLY_ALLOW' } },
    guest({ abi_major: 1, abi_minor: 4 }),
    guest({ abi_major: 2, abi_minor: 0 }),
    'snp-policy-abi-too-low',
  ],
  [{ guest_policy: { smt: 'deny' } }, soundClaims, guest({ smt_allowed: false }), 'snp-policy-smt-allowed'],
  [{ guest_policy: { migrate_ma: 'deny' } }, guest({ migrate_ma_allowed: true }), soundClaims, 'snp-policy-migrate-ma-allowed'],
  [{ guest_policy: { debug: 'deny' } }, guest({ debug_allowed: true }), soundClaims, 'snp-policy-debug-allowed'],
  [{ guest_policy: { cxl: 'deny' } }, guest({ cxl_allowed: true }), soundClaims, 'snp-policy-cxl-allowed'],
  [{ guest_policy: { single_socket: 'require' } }, soundClaims, guest({ single_socket: true }), 'snp-policy-single-socket-missing'],
  [{ guest_policy: { mem_aes_256_xts: 'require' } }, soundClaims, guest({ mem_aes_256_xts: true }), 'snp-policy-aes256-xts-missing'],
  [{ guest_policy: { rapl_dis: 'require' } }, soundClaims, guest({ rapl_dis: true }), 'snp-policy-rapl-dis-missing'],
  [
    { guest_policy: { ciphertext_hiding: 'require' } },
    soundClaims,
    guest({ ciphertext_hiding: true }),
    'snp-policy-ciphertext-hiding-missing',
  ],
  [
    { guest_policy: { page_swap_disable: 'require' } },
    soundClaims,
    guest({ page_swap_disable: true }),
    'snp-policy-page-swap-disable-missing',
  ],
  [{ policy_values: ['0x3001F', '0x20000'] }, soundClaims, guest({ value: '0x000000000003001f' }), 'snp-policy-value-mismatch'],
  [{ platform_info: { smt: 'forbid' } }, soundClaims, host({ smt_enabled: false }), 'snp-platform-smt-forbidden'],
  [{ platform_info: { smt: 'require' } }, host({ smt_enabled: false }), soundClaims, 'snp-platform-smt-missing'],
  [{ platform_info: { tsme: 'forbid' } }, host({ tsme_enabled: true }), soundClaims, 'snp-platform-tsme-forbidden'],
  [{ platform_info: { tsme: 'require' } }, soundClaims, host({ tsme_enabled: true }), 'snp-platform-tsme-missing'],
  [{ platform_info: { ecc: 'forbid' } }, soundClaims, host({ ecc_enabled: false }), 'snp-platform-ecc-forbidden'],
  [{ platform_info: { ecc: 'require' } }, host({ ecc_enabled: false }), soundClaims, 'snp-platform-ecc-missing'],
  [{ platform_info: { rapl_disabled: 'forbid' } }, host({ rapl_disabled: true }), soundClaims, 'snp-platform-rapl-forbidden'],
  [{ platform_info: { rapl_disabled: 'require' } }, soundClaims, host({ rapl_disabled: true }), 'snp-platform-rapl-missing'],
  [
    { platform_info: { ciphertext_hiding: 'forbid' } },
    host({ ciphertext_hiding_enabled: true }),
    soundClaims,
    'snp-platform-ciphertext-hiding-forbidden',
  ],
  [
    { platform_info: { ciphertext_hiding: 'require' } },
    soundClaims,
    host({ ciphertext_hiding_enabled: true }),
    'snp-platform-ciphertext-hiding-missing',
  ],
  [{ platform_info: { alias_check: 'forbid' } }, soundClaims, host({ alias_check_complete: false }), 'snp-platform-alias-check-forbidden'],
  [{ platform_info: { alias_check: 'require' } }, host({ alias_check_complete: false }), soundClaims, 'snp-platform-alias-check-missing'],
  [{ platform_info: { tio: 'forbid' } }, host({ tio_enabled: true }), soundClaims, 'snp-platform-tio-forbidden'],
  [{ platform_info: { tio: 'require' } }, soundClaims, host({ tio_enabled: true }), 'snp-platform-tio-missing'],
  [
    { platform_info: { alias_check: 'any', unknown_bits: 'deny' } },
    host({ unknown_bits: '0x40' }),
    soundClaims,
    'snp-platform-unknown-bits',
  ],
  [{ vmpl: [0, 2] }, is({ vmpl: 1 }), is({ vmpl: 2 }), 'snp-vmpl-mismatch'],
  [{ chip_ids: ['07'.repeat(64)] }, soundClaims, is({ vek: { ...soundClaims.vek, hwid: '07'.repeat(64) } }), 'snp-chip-id-mismatch'],
  [{ chip_ids: ['06'.repeat(64)] }, { ...vlekClaims, chip_id: '06'.repeat(64) }, is({ chip_id: null }), 'snp-chip-id-unavailable'],
  [{ migration_agent: 'refuse' }, is({ report_id_ma: a32 }), soundClaims, 'snp-migration-agent-present'],
]

/** The option whose strict value is the default, so that leaving it out does not weaken it. */
const LOOSENED: Options = { require_reported_not_above_committed: false }

describe.each(ROWS.map(([options, refused, accepted, code]) => ({ options, refused, accepted, code })))(
  '$code by $options',
  ({ options, refused, accepted, code }) => {
    it('refuses with this code alone, saying what was found, what was expected and what to do', () => {
      const judgement = judged({ ...LOOSENED, ...options }, refused)
      expect(outcomes(judgement, 'fail')).toEqual([code])
      expect(judgement.code).toBe(code)
      expect(judgement.appraisal.status).toBe('contraindicated')
      const failed = judgement.appraisal.evidence[0]?.checks.find((check) => check.outcome === 'fail')
      expect(failed).toMatchObject({
        id: expect.stringMatching(/^SNP-\d\d$/),
        actual: expect.stringMatching(/./),
        expected: expect.stringMatching(/./),
        remedy: expect.stringMatching(/./),
      })
    })

    it('accepts what the option accepts', () => {
      const judgement = judged({ ...LOOSENED, ...options }, accepted)
      expect(outcomes(judgement, 'fail')).toEqual([])
      expect(judgement).toMatchObject({ code: undefined, appraisal: { status: 'affirming' } })
    })

    it('accepts the same claims when the option is not set', () => {
      expect(outcomes(judged(LOOSENED, refused), 'fail')).toEqual([])
    })
  },
)

describe('rules', () => {
  it('put the order of TCBs whatever the policy says', () => {
    expect(judged(LOOSENED, is({ current_tcb: tcb({ microcode: 218 }) })).code).toBe('snp-tcb-reported-above-current')
    expect(judged({}, is({ committed_tcb: tcb({ microcode: 220 }) })).code).toBe('snp-tcb-committed-above-current')
  })

  it('compare TCBs part by part, never as one number', () => {
    const high = is({
      reported_tcb: tcb({ bootloader: 3, microcode: 255 }),
      committed_tcb: tcb({ microcode: 255 }),
      current_tcb: tcb({ microcode: 255 }),
    })
    expect(judged({ min_tcb: { reported: { milan: goodTcb } } }, high).code).toBe('snp-tcb-reported-below-minimum')
  })

  it('refuse everything when the policy lists no measurement', () => {
    const judgement = judged({ measurements: undefined }, soundClaims)
    expect(judgement.code).toBe('snp-measurement-policy-missing')
    expect(outcomes(judgement, 'fail')).toEqual(['snp-measurement-policy-missing'])
  })

  it('take an absent ID key for one that is on no list', () => {
    expect(outcomes(judged({ trusted_id_key_digests: [a48] }, soundClaims), 'fail')).toEqual([
      'snp-id-block-required',
      'snp-id-key-untrusted',
    ])
    expect(outcomes(judged({ trusted_author_key_digests: [a48] }, soundClaims), 'fail')).toEqual([
      'snp-author-key-required',
      'snp-author-key-untrusted',
    ])
  })

  it('warn of an untrusted key where the policy says so, but still demand an ID block that it requires', () => {
    const lenient = { id_key_enforcement: 'warn', trusted_id_key_digests: [a48] }
    const warned = judged(lenient, is({ id_key_digest: b48 }))
    expect(outcomes(warned, 'warn')).toEqual(['snp-id-key-untrusted'])
    expect(warned).toMatchObject({ code: undefined, appraisal: { status: 'warning' } })
    expect(outcomes(judged({ ...lenient, require_id_block: true }, soundClaims), 'fail')).toEqual(['snp-id-block-required'])
  })

  it('warn of an advisory, or only report it, as the policy says; the result tells in any case', () => {
    const old = is({ launch_tcb: tcb({ snp: 0x17 }) })
    const warned = judged({ advisories: { 'amd-sb-3019': 'warn' } }, old)
    expect(outcomes(warned, 'warn')).toEqual(['snp-advisory-amd-sb-3019'])
    const reported = judged({ advisories: { 'amd-sb-3019': 'report' } }, old)
    expect(reported.appraisal.status).toBe('affirming')
    expect(reported.appraisal.evidence[0]?.advisories).toContainEqual(
      expect.objectContaining({ id: 'amd-sb-3019', mode: 'report', applies: true }),
    )
    expect(judged({}, soundClaims).appraisal.evidence[0]?.advisories).toContainEqual(
      expect.objectContaining({ id: 'amd-sb-3019', applies: false }),
    )
  })

  it('let a list of chips answer the extraction of Milan’s seeds, without denying that it applies', () => {
    const listed = judged({ advisories: { 'amd-milan-vcek-seed-extraction': 'refuse' }, chip_ids: ['06'.repeat(64)] }, soundClaims)
    expect(listed.code).toBeUndefined()
    expect(listed.appraisal.evidence[0]?.advisories).toContainEqual(
      expect.objectContaining({ id: 'amd-milan-vcek-seed-extraction', applies: true }),
    )
  })

  it.each([
    ['Milan', 0x17, 0x18],
    ['Genoa', 0x16, 0x17],
  ] as const)('close AMD-SB-3019 on %s from SNP %i on', (product, open, closed) => {
    const at = (snp: number) => {
      const level = tcb({ snp })
      const all = { reported_tcb: level, committed_tcb: level, current_tcb: level, launch_tcb: level }
      return judged({ advisories: { 'amd-sb-3019': 'refuse' } }, is({ product, ...all })).code
    }
    expect([at(open), at(closed)]).toEqual(['snp-advisory-amd-sb-3019', undefined])
  })

  it('do not let a list of chips answer an advisory that firmware closes', () => {
    const old = is({ launch_tcb: tcb({ snp: 0x17 }) })
    expect(judged({ advisories: { 'amd-sb-3019': 'refuse' }, chip_ids: ['06'.repeat(64)] }, old).code).toBe('snp-advisory-amd-sb-3019')
  })

  it('never match a key that is absent, whatever a list holds', () => {
    const zero = '00'.repeat(48)
    const policy = { ...strict.document.snp, trusted_id_key_digests: [zero], trusted_author_key_digests: [zero] }
    const failed = idKeys({ claims: soundClaims, policy }).filter((check) => check.outcome === 'fail')
    expect(failed).toHaveLength(4)
  })

  it('read no mitigation vector before version 5', () => {
    expect(judged({ min_launch_mit_vector: '0x1' }, is({ version: 4 })).code).toBe('snp-mitigation-launch-missing')
    expect(judged({ min_launch_mit_vector: '0x1' }, is({ launch_mit_vector: null })).code).toBe('snp-mitigation-launch-missing')
  })

  it('collect every refusal and answer for the one nearest the root of trust', () => {
    const judgement = judged(
      { guest_policy: { debug: 'deny' }, vmpl: [0], min_report_version: 3 },
      {
        ...guest({ debug_allowed: true }),
        vmpl: 1,
        version: 2,
      },
    )
    expect(outcomes(judgement, 'fail')).toEqual(['snp-report-version-below-minimum', 'snp-policy-debug-allowed', 'snp-vmpl-mismatch'])
    expect(judgement.code).toBe('snp-report-version-below-minimum')
  })

  it('tell long lists by their beginning', () => {
    const many = Array.from({ length: 9 }, (_, at) => `${at}${'0'.repeat(94)}1`)
    const check = judged({ measurements: many }, soundClaims).appraisal.evidence[0]?.checks.find((one) => one.id === 'SNP-63')
    expect(check?.expected).toMatch(/^one of 0.*, … \(9 in all\)$/)
  })

  it('between them have a test for every code that a policy about SNP can give', () => {
    const elsewhere = ['snp-tcb-reported-above-current', 'snp-tcb-committed-above-current', 'snp-measurement-policy-missing']
    const acceptability = Object.entries(SNP_PROBLEMS).filter(([, problem]) => problem.kind === 'not-acceptable')
    const tested = new Set([...ROWS.map(([, , , code]) => code), ...elsewhere])
    expect(acceptability.map(([code]) => code).filter((code) => !tested.has(code))).toEqual([])
  })
})
