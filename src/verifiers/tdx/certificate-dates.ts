import { failed, passed } from '../checks.ts'
import type { Check } from '../verifier.ts'
import { commonNameOf } from '../x509-name.ts'
import type { ParsedCertificate } from '../x509.ts'

/** When one certificate is valid; `text` says it for people. */
export type Window = { readonly notBefore: Date; readonly notAfter: Date; readonly text: string }

/** The window of a certificate. */
export const windowOf = ({ subject, notBefore, notAfter }: Pick<ParsedCertificate, 'subject' | 'notBefore' | 'notAfter'>): Window => ({
  notBefore,
  notAfter,
  text: `${commonNameOf(subject) ?? 'certificate'} from ${notBefore.toISOString()} to ${notAfter.toISOString()}`,
})

const DATES = {
  id: 'TDX-30',
  title: 'Every certificate is valid now',
  code: 'tdx-certificate-expired',
  expected: 'notBefore and notAfter around the time of verification, both included',
} as const

/** TDX-30 of one chain, which the title names: `PCK chain`. Made once for each, since titles are looked up when a verdict is formed. */
export type DatesRule = Omit<typeof DATES, 'title'> & { readonly title: string }

/** The rule for a chain of this name. */
export const datesRule = (what: string): DatesRule => ({ ...DATES, title: `${DATES.title}: ${what}` })

/**
 * TDX-30: every certificate is valid at `now`, both ends included. Neither tolerance for clocks nor grace applies to certificates
 * (specification tdx.md section 5.7).
 */
export function checkDates(rule: DatesRule, windows: readonly Window[], now: Date): readonly Check[] {
  if (windows.length === 0) return [failed(rule, 'no certificate')]
  const when = `now ${now.toISOString()}`
  const faults = faultsAt(windows, now)
  return faults.length > 0
    ? faults.map(({ code, text }) => failed({ ...rule, code }, `${text}, ${when}`))
    : [passed(rule, `${windowsText(windows)}; ${when}`)]
}

/** A chain is a remembered fact: its dates are put into words once. */
const told = new WeakMap<readonly Window[], string>()

function windowsText(windows: readonly Window[]): string {
  const known = told.get(windows) ?? windows.map(({ text }) => text).join('; ')
  told.set(windows, known)
  return known
}

type Fault = { readonly code: 'tdx-certificate-not-yet-valid' | 'tdx-certificate-expired'; readonly text: string }

/** Those that are early come first. Asked so that a time that is no number fails both. */
function faultsAt(windows: readonly Window[], now: Date): readonly Fault[] {
  const [early, late]: [Fault[], Fault[]] = [[], []]
  for (const { notBefore, notAfter, text } of windows) {
    if (!(notBefore.getTime() <= now.getTime())) early.push({ code: 'tdx-certificate-not-yet-valid', text })
    if (!(now.getTime() <= notAfter.getTime())) late.push({ code: 'tdx-certificate-expired', text })
  }
  return [...early, ...late]
}
