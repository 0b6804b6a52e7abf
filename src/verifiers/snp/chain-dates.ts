import type { Check, SnpRigour } from '../verifier.ts'
import { CHAIN_RULES } from './chain-rules.ts'
import type { VekFact, Window } from './facts.ts'
import { failed, passed } from '../checks.ts'

/** When, and how far clocks may differ. */
type DateScope = { readonly now: Date; readonly rigour: { readonly snp: Pick<SnpRigour, 'skewSeconds'> } }

const rule = CHAIN_RULES.validity

/** The windows of a chain, from the root down. */
export const windowsOf = ({ root, issuer, vek }: Pick<VekFact, 'root' | 'issuer' | 'vek'>): readonly Window[] =>
  [
    { name: root.commonName, notBefore: root.notBefore, notAfter: root.notAfter },
    { name: issuer.commonName, notBefore: issuer.notBefore, notAfter: issuer.notAfter },
    { name: `SEV-${vek.kind.toUpperCase()}`, notBefore: vek.notBefore, notAfter: vek.notAfter },
  ].map((dated) => ({ ...dated, text: `${dated.name} from ${dated.notBefore.toISOString()} to ${dated.notAfter.toISOString()}` }))

/** SNP-33: every certificate of the chain is valid now, clocks differing by what the policy allows and five minutes at most. */
export function checkDates({ windows }: VekFact, { now, rigour }: DateScope): readonly Check[] {
  const skew = Math.min(Math.max(rigour.snp.skewSeconds, 0), 300) * 1000
  // Asked so that a time that is no number fails both.
  const early = windows.filter(({ notBefore }) => !(notBefore.getTime() <= now.getTime() + skew))
  const late = windows.filter(({ notAfter }) => !(now.getTime() - skew <= notAfter.getTime()))
  const when = `now ${now.toISOString()}`
  const faults = [
    ...late.map(({ text }) => failed(rule, `${text}, ${when}`)),
    ...early.map(({ text }) => failed({ ...rule, code: 'snp-cert-not-yet-valid' }, `${text}, ${when}`)),
  ]
  return faults.length > 0 ? faults : [passed(rule, `${windows.map(textOf).join('; ')}; ${when}`)]
}

const textOf = ({ text }: Window): string => text

/** When each certificate of the chain ends. No tolerance for clocks: it is no longer life for a token. */
export const chainExpiry = ({ windows }: VekFact): readonly Date[] => windows.map(endOf)

const endOf = ({ notAfter }: Window): Date => notAfter
