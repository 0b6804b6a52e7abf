import { describe, expect, it } from 'vitest'
import { floorViolations, LIFTS, type Lift } from './floor.ts'
import { readPolicy } from './read-policy.ts'

const violations = (members: object, lifts: readonly Lift[] = []) =>
  floorViolations(readPolicy(JSON.stringify({ name: 'a', ...members }), 'a').document, lifts)

const ROWS: readonly (readonly [members: object, path: string, lift: Lift])[] = [
  [{ snp: { guest_policy: { debug: 'DANGEROUSLY_ALLOW' } } }, 'snp.guest_policy.debug', 'debug-guests'],
  [{ tdx: { td_attributes: { debug: 'DANGEROUSLY_ALLOW' } } }, 'tdx.td_attributes.debug', 'debug-guests'],
  [{ tdx: { td_attributes: { other_tud_bits: 'DANGEROUSLY_ALLOW' } } }, 'tdx.td_attributes.other_tud_bits', 'debug-guests'],
  [{ sgx: { debug: 'DANGEROUSLY_ALLOW' } }, 'sgx.debug', 'debug-guests'],
  [{ tpm: { secure_boot: { debug_mode: 'DANGEROUSLY_ALLOW' } } }, 'tpm.secure_boot.debug_mode', 'debug-guests'],
  [{ tpm: { crl: { grace_seconds: 60 } } }, 'tpm.crl.grace_seconds', 'collateral-grace'],
  [{ tpm: { crl: { mode: 'DANGEROUSLY_OFF' } } }, 'tpm.crl.mode', 'unchecked-revocation'],
  [{ snp: { crl: { grace_seconds: 1 } } }, 'snp.crl.grace_seconds', 'collateral-grace'],
  [{ tdx: { collateral_grace_seconds: 1 } }, 'tdx.collateral_grace_seconds', 'collateral-grace'],
  [{ sgx: { collateral_grace_seconds: 1 } }, 'sgx.collateral_grace_seconds', 'collateral-grace'],
  [{ snp: { crl: { mode: 'DANGEROUSLY_OFF' } } }, 'snp.crl.mode', 'unchecked-revocation'],
]

describe('the floor', () => {
  it.each(ROWS)('refuses %o unless its lift is configured', (members, path, lift) => {
    expect(violations(members)).toEqual([{ path, lift, message: expect.any(String), remedy: expect.stringContaining(lift) }])
    expect(violations(members, [lift])).toEqual([])
    expect(
      violations(
        members,
        LIFTS.filter((other) => other !== lift),
      ),
    ).toHaveLength(1)
  })

  it('says all at once, and nothing of what is above it', () => {
    expect(violations({ sgx: { debug: 'DANGEROUSLY_ALLOW', collateral_grace_seconds: 60 } })).toHaveLength(2)
    expect(violations({ key_binding: 'DANGEROUSLY_OPTIONAL', issue_on: 'warning', snp: { crl: { mode: 'prefer' } } })).toEqual([])
  })
})
