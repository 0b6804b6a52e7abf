import { describe, expect, it } from 'vitest'
import { checkDates, datesRule, windowOf, type Window } from './certificate-dates.ts'

const second = 1000
const from = Date.parse('2025-02-06T23:25:51Z')
const until = Date.parse('2032-02-06T23:25:51Z')
const window: Window = windowOf({
  subject: [{ oid: '2.5.4.3', value: 'Intel SGX PCK Certificate' }],
  notBefore: new Date(from),
  notAfter: new Date(until),
})
const wide: Window = { ...window, notBefore: new Date(0), notAfter: new Date(until + 86_400 * second), text: 'the root' }

const codes = (windows: readonly Window[], now: number): readonly string[] =>
  checkDates(datesRule('PCK chain'), windows, new Date(now)).map((check) => ('code' in check ? check.code : check.outcome))

describe('dates of certificates (TDX-30)', () => {
  it.each([
    ['a second before', from - second, ['tdx-certificate-not-yet-valid']],
    ['at the first second', from, ['pass']],
    ['at the last second', until, ['pass']],
    ['a second after', until + second, ['tdx-certificate-expired']],
  ])('%s', (_, now, expected) => {
    expect(codes([window], now)).toEqual(expected)
    expect(codes([wide, window], now)).toEqual(expected)
  })

  it('tells each certificate that is late or early', () => {
    expect(codes([window, window], until + second)).toEqual(['tdx-certificate-expired', 'tdx-certificate-expired'])
  })

  it('fails for no chain at all', () => expect(codes([], from)).toEqual(['tdx-certificate-expired']))

  it('names certificate and window', () => {
    const [check] = checkDates(datesRule('PCK chain'), [window], new Date(from - second))
    expect(check?.title).toContain('PCK chain')
    expect(check?.actual).toBe(
      'Intel SGX PCK Certificate from 2025-02-06T23:25:51.000Z to 2032-02-06T23:25:51.000Z, now 2025-02-06T23:25:50.000Z',
    )
  })
})
