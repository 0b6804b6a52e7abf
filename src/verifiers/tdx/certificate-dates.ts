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

/**
 * TDX-30: every certificate is valid at `now`, both ends included. Neither tolerance for clocks nor grace applies to certificates
 * (specification tdx.md section 5.7). `what` names the chain in the title: `PCK chain`.
 */
export function checkDates(what: string, windows: readonly Window[], now: Date): readonly Check[] {
  const rule = { ...DATES, title: `${DATES.title}: ${what}` }
  const when = `now ${now.toISOString()}`
  // Asked so that a time that is no number fails both.
  const early = windows.filter(({ notBefore }) => !(notBefore.getTime() <= now.getTime()))
  const late = windows.filter(({ notAfter }) => !(now.getTime() <= notAfter.getTime()))
  const faults = [
    ...early.map(({ text }) => failed({ ...rule, code: 'tdx-certificate-not-yet-valid' }, `${text}, ${when}`)),
    ...late.map(({ text }) => failed(rule, `${text}, ${when}`)),
  ]
  if (windows.length === 0) return [failed(rule, 'no certificate')]
  return faults.length > 0 ? faults : [passed(rule, [...windows.map(({ text }) => text), when].join('; '))]
}
