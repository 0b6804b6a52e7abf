import { describe, expect, it } from 'vitest'
import { NOW, anchorFor, anchorsWith, authority, years } from '../../test/tpm-trust-lab.ts'
import { tpmAlarms, tpmAuthorities } from './tpm-authorities.ts'

const DAY = 86_400_000
const after = (days: number): Date => new Date(NOW.getTime() + days * DAY)
const long = authority('long', undefined, { notAfter: years(5) })
const soon = authority('soon', undefined, { notAfter: after(29) })
const ended = authority('ended', long, { notAfter: after(-1) })
const absent = 'ab'.repeat(32)
const { tpm } = anchorsWith({
  roots: [anchorFor(long), anchorFor({ sha256: absent }, { authority: 'google', roles: ['ak'] }), anchorFor(soon)],
  pool: [ended.der, soon.der, long.der],
})

describe('authorities of TPMs', () => {
  it('are listed with the end of their certificates, the trusted first', () => {
    expect(tpmAuthorities(tpm, NOW)).toEqual([
      { sha256: long.sha256, authority: 'lab', roles: ['ak', 'ek'], subject: 'CN=long', not_after: years(5).toISOString(), state: 'valid' },
      { sha256: absent, authority: 'google', roles: ['ak'], subject: null, not_after: null, state: 'not-at-hand' },
      {
        sha256: soon.sha256,
        authority: 'lab',
        roles: ['ak', 'ek'],
        subject: 'CN=soon',
        not_after: after(29).toISOString(),
        state: 'ends-soon',
      },
      { sha256: ended.sha256, authority: null, roles: [], subject: 'CN=ended', not_after: after(-1).toISOString(), state: 'ended' },
    ])
  })
  it('raise an alarm a month before they end', () => {
    const [first = '', second = '', ...more] = tpmAlarms(tpm, NOW)
    expect([first, second]).toEqual([expect.stringMatching(/CN=soon ends at/), expect.stringMatching(/CN=ended ended at/)])
    expect(more).toEqual([])
    expect(tpmAlarms(tpm, after(-2))).toEqual([expect.stringContaining('CN=ended ends')])
    expect(tpmAlarms(anchorsWith({}).tpm, NOW)).toEqual([])
  })
})
