import { describe, expect, it } from 'vitest'
import { mayActAs, requireSecondPerson, ROLES, type Role } from './roles.ts'

const allowed = (...roles: [Role, ...Role[]]): readonly Role[] => ROLES.filter((needed) => mayActAs(needed, { name: 'ops', roles }))

describe('what roles may do', () => {
  it.each<[Role, readonly Role[]]>([
    ['viewer', ['viewer']],
    ['policy-author', ['viewer', 'policy-author']],
    ['policy-activator', ['viewer', 'policy-activator']],
    ['enroller', ['viewer', 'enroller']],
    ['admin', ['viewer', 'policy-author', 'policy-activator', 'enroller', 'admin']],
  ])('%s: %j', (role, expected) => {
    expect(allowed(role)).toEqual(expected)
  })

  it('adds up, and adds nothing', () => {
    expect(allowed('policy-author', 'policy-activator')).toEqual(['viewer', 'policy-author', 'policy-activator'])
    expect(allowed('policy-author', 'policy-activator', 'enroller')).not.toContain('admin')
  })
})

describe('requireSecondPerson', () => {
  const refused = expect.objectContaining({ code: 'activator-is-author' })

  it('refuses the author only, and only where two people are asked for', () => {
    expect(() => requireSecondPerson({ activator: 'ann', author: 'ann', separate: true })).toThrow(refused)
    expect(() => requireSecondPerson({ activator: 'ben', author: 'ann', separate: true })).not.toThrow()
    expect(() => requireSecondPerson({ activator: 'ann', author: 'ann', separate: false })).not.toThrow()
  })
})
