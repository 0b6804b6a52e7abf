import type { Check, Rigour } from '../verifier.ts'
import { CHAIN_RULES } from './chain-rules.ts'
import type { VekFact } from './facts.ts'
import { failed, passed } from './structure.ts'

/** A certificate of the chain with its window. */
type Dated = { readonly name: string; readonly notBefore: Date; readonly notAfter: Date }

/** When, and how far clocks may differ. */
type DateScope = { readonly now: Date; readonly rigour: Pick<Rigour, 'skewSeconds'> }

const rule = CHAIN_RULES.validity

/** The chain from the root down. */
const chainOf = ({ root, issuer, vek }: VekFact): readonly Dated[] => [
  { name: root.commonName, notBefore: root.notBefore, notAfter: root.notAfter },
  { name: issuer.commonName, notBefore: issuer.notBefore, notAfter: issuer.notAfter },
  { name: `SEV-${vek.kind.toUpperCase()}`, notBefore: vek.notBefore, notAfter: vek.notAfter },
]

/** SNP-33: every certificate of the chain is valid now, clocks differing by what the policy allows and five minutes at most. */
export function checkDates(fact: VekFact, { now, rigour }: DateScope): readonly Check[] {
  const skew = Math.min(Math.max(rigour.skewSeconds, 0), 300) * 1000
  const chain = chainOf(fact)
  const early = chain.filter(({ notBefore }) => now.getTime() + skew < notBefore.getTime())
  const late = chain.filter(({ notAfter }) => notAfter.getTime() < now.getTime() - skew)
  const faults = [
    ...late.map((dated) => failed(rule, describe(dated, now))),
    ...early.map((dated) => failed({ ...rule, code: 'snp-cert-not-yet-valid' }, describe(dated, now))),
  ]
  return faults.length > 0 ? faults : [passed(rule, chain.map((dated) => describe(dated, now)).join('; '))]
}

const describe = ({ name, notBefore, notAfter }: Dated, now: Date): string =>
  `${name} from ${notBefore.toISOString()} to ${notAfter.toISOString()}, now ${now.toISOString()}`

/** When the first certificate of the chain ends. No tolerance for clocks: it is no longer life for a token. */
export const chainExpiry = (fact: VekFact): readonly Date[] => chainOf(fact).map(({ notAfter }) => notAfter)
