import { describe, expect, it } from 'vitest'
import { policySetOf } from './policy-set.ts'
import { readPolicy } from './read-policy.ts'
import { rigourOf } from './rigour.ts'
import { strict } from './strict.ts'
import { weakeningsOf } from './weakenings.ts'

const edge = readPolicy('name: edge', 'edge.yaml')

describe('strict', () => {
  it('is the strict preset of specification snp.md section 9, with revocation lists required', () => {
    expect(strict.reference).toMatchObject({ name: 'strict', version: 1, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) })
    expect(strict.document).toMatchObject({
      key_binding: 'required',
      relying_party_nonce: 'refuse',
      issue_on: 'affirming',
      explain: 'minimal',
      token: { lifetime_seconds: 300 },
      snp: {
        min_report_version: 3,
        max_report_version: 5,
        guest_policy: { debug: 'deny', migrate_ma: 'deny' },
        vmpl: [0],
        platform_info: { alias_check: 'require', unknown_bits: 'allow' },
        permit_provisional_firmware: false,
        require_reported_not_above_committed: true,
        advisories: { 'amd-sb-3019': 'refuse' },
        migration_agent: 'refuse',
        masked_chip_id: 'refuse',
        require_id_block: false,
        crl: { mode: 'require', grace_seconds: 0 },
      },
    })
    expect(strict.document.snp.measurements).toBeUndefined()
  })

  it('accepts of TDs and enclaves what section 6.1 of specification tdx.md does by default, with a TCB that lacks nothing', () => {
    const platform = { min_sgx_type: 'Standard', smt: 'any', dynamic_platform: 'any', cached_keys: 'any' }
    const tcb = { accepted_tcb_statuses: ['UpToDate'], collateral_grace_seconds: 0, skew_seconds: 0, platform }
    expect(strict.document.tdx).toEqual({
      ...tcb,
      initdata: 'bound-if-sent',
      td_attributes: {
        debug: 'deny',
        other_tud_bits: 'deny',
        icssd: 'deny',
        servtd_ext: 'deny',
        lass: 'allow',
        sept_ve_disable: 'require',
        migratable: 'deny',
        pks: 'allow',
        kl: 'allow',
        tpa: 'allow',
        perfmon: 'deny',
        reserved_bits: 'deny',
      },
      xfam: { allowed: '0x000000000006dbe7' },
      tee_tcb_svn2_regression: 'refuse',
      event_log: { ccel: 'any', dstack: 'any', replayed_rtmrs: [0, 1, 2, 3], secure_boot: 'any' },
    })
    expect(strict.document.sgx).toEqual({ ...tcb, debug: 'deny' })
  })
})

describe('rigourOf', () => {
  it('hands the choices about genuineness to the verifiers', () => {
    expect(rigourOf(strict.document).snp).toEqual({ revocation: 'require', crlGraceSeconds: 0, skewSeconds: 60, maskedChipId: 'refuse' })
    const other = readPolicy('name: a\nsnp: {masked_chip_id: allow, crl: {mode: prefer, grace_seconds: 5, skew_seconds: 7}}', 'a')
    expect(rigourOf(other.document).snp).toEqual({ revocation: 'prefer', crlGraceSeconds: 5, skewSeconds: 7, maskedChipId: 'allow' })
  })

  it('hands each kind of quote its own dates, and TDX the registers that logs must replay to', () => {
    const { tdx, sgx } = rigourOf(strict.document)
    expect(tdx).toEqual({ collateralGraceSeconds: 0, skewSeconds: 0, replayedRtmrs: [0, 1, 2, 3] })
    expect(sgx).toEqual({ collateralGraceSeconds: 0, skewSeconds: 0 })
    const other = readPolicy(
      'name: a\ntdx: {collateral_grace_seconds: 5, skew_seconds: 7, event_log: {replayed_rtmrs: [1, 2]}}\nsgx: {collateral_grace_seconds: 8, skew_seconds: 9}',
      'a',
    )
    expect(rigourOf(other.document).tdx).toEqual({ collateralGraceSeconds: 5, skewSeconds: 7, replayedRtmrs: [1, 2] })
    expect(rigourOf(other.document).sgx).toEqual({ collateralGraceSeconds: 8, skewSeconds: 9 })
  })
})

describe('policySetOf', () => {
  it('finds policies by name', () => {
    const set = policySetOf([strict, edge])
    expect(set.get('edge')).toBe(edge)
    expect(set.get('constructor')).toBeUndefined()
    expect(set.all()).toEqual([strict, edge])
  })

  it('refuses two of one name, also one that would stand in for the built-in policy', () => {
    expect(() => policySetOf([strict, edge, readPolicy('name: edge\nsnp: {vmpl: [3]}', 'b')])).toThrow(/edge/)
    expect(() => policySetOf([strict, readPolicy('name: strict', 'c')])).toThrow(/strict/)
  })
})

describe('weakeningsOf', () => {
  it('finds none in the strict policy', () => expect(weakeningsOf(strict.document)).toEqual([]))

  it('names each by its path', () => {
    const weak = readPolicy(
      'name: a\nissue_on: warning\nkey_binding: DANGEROUSLY_OPTIONAL\nsnp: {measurements: DANGEROUSLY_ACCEPT_ANY, guest_policy: {debug: DANGEROUSLY_ALLOW}, crl: {mode: DANGEROUSLY_OFF}}',
      'a',
    )
    expect(weakeningsOf(weak.document)).toEqual([
      'issue_on: warning',
      'key_binding: DANGEROUSLY_OPTIONAL',
      'snp.measurements: DANGEROUSLY_ACCEPT_ANY',
      'snp.guest_policy.debug: DANGEROUSLY_ALLOW',
      'snp.crl.mode: DANGEROUSLY_OFF',
    ])
    const tds = readPolicy(
      'name: a\ntdx: {mr_td: DANGEROUSLY_ACCEPT_ANY, td_attributes: {debug: DANGEROUSLY_ALLOW, other_tud_bits: DANGEROUSLY_ALLOW, reserved_bits: DANGEROUSLY_ALLOW}}\nsgx: {mr_enclave: DANGEROUSLY_ACCEPT_ANY, debug: DANGEROUSLY_ALLOW}',
      'a',
    )
    expect(weakeningsOf(tds.document)).toEqual([
      'tdx.mr_td: DANGEROUSLY_ACCEPT_ANY',
      'tdx.td_attributes.debug: DANGEROUSLY_ALLOW',
      'tdx.td_attributes.other_tud_bits: DANGEROUSLY_ALLOW',
      'tdx.td_attributes.reserved_bits: DANGEROUSLY_ALLOW',
      'sgx.mr_enclave: DANGEROUSLY_ACCEPT_ANY',
      'sgx.debug: DANGEROUSLY_ALLOW',
    ])
  })
})
