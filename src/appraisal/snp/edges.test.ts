import { describe, expect, it } from 'vitest'
import { goodTcb, soundClaims, vlekClaims } from '../../../test/snp-claims.ts'
import type { SnpClaims } from '../../verifiers/snp/claims.ts'
import type { SnpPolicy } from '../policy.ts'
import { strict } from '../strict.ts'
import { advisories } from './advisory-rules.ts'
import { provider } from './keys.ts'

const policy = (members: Partial<SnpPolicy>): SnpPolicy => ({ ...strict.document.snp, ...members })
const named = (csp_id: string): SnpClaims => ({ ...vlekClaims, vek: { ...vlekClaims.vek, csp_id } })
const outcome = (csp_ids: readonly string[], claims: SnpClaims): string | undefined =>
  provider({ claims, policy: policy({ csp_ids: [...csp_ids] }) })[0]?.outcome

describe('providers', () => {
  it('are one of the patterns, not all of them', () => {
    expect(outcome(['CN=other', 'CN=cc-*.amazonaws.com'], vlekClaims)).toBe('pass')
    expect(outcome(['CN=other', 'CN=third'], vlekClaims)).toBe('fail')
  })

  it('are matched by a star wherever it stands, and it stands for something', () => {
    expect(outcome(['*.example'], named('host.example'))).toBe('pass')
    expect(outcome(['*.example'], named('.example'))).toBe('fail')
    expect(outcome(['*.example'], named('*.example'))).toBe('fail')
    expect(outcome(['CN=host*'], named('CN=hosts'))).toBe('pass')
    expect(outcome(['CN=host*'], named('CN=host.other'))).toBe('fail')
    expect(outcome(['CN=ab*bc'], named('CN=abc'))).toBe('fail')
    expect(outcome(['CN=ab*bc'], named('CN=ab-bc'))).toBe('pass')
    expect(outcome(['CN=ab*bc'], named('xCN=ab-bc'))).toBe('fail')
    expect(outcome(['CN=ab*bc'], named('CN=ab-bcx'))).toBe('fail')
  })
})

describe('advisories', () => {
  it('that concern other products ask nothing of this one', () => {
    const claims: SnpClaims = { ...soundClaims, product: 'Turin', launch_tcb: { ...goodTcb, snp: 0 } }
    expect(
      advisories({ claims, policy: policy({ advisories: { ...strict.document.snp.advisories, 'amd-sb-3019': 'refuse' } }) }),
    ).toContainEqual(expect.objectContaining({ rule: 'snp.advisories.amd-sb-3019', outcome: 'pass', expected: 'not concerned' }))
  })
})
