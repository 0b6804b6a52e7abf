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
})

describe('rigourOf', () => {
  it('hands the choices about genuineness to the verifiers', () => {
    expect(rigourOf(strict.document).snp).toEqual({ revocation: 'require', crlGraceSeconds: 0, skewSeconds: 60, maskedChipId: 'refuse' })
    const other = readPolicy('name: a\nsnp: {masked_chip_id: allow, crl: {mode: prefer, grace_seconds: 5, skew_seconds: 7}}', 'a')
    expect(rigourOf(other.document).snp).toEqual({ revocation: 'prefer', crlGraceSeconds: 5, skewSeconds: 7, maskedChipId: 'allow' })
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
  })
})
