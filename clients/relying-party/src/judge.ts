import type { Accept, AcceptedPolicy, Accepting, Condition } from './accept.ts'
import { TECHNOLOGIES, type Claims, type Hardware, type Item } from './claims.ts'
import { isObject, type JsonObject } from './json.ts'
import { AttestationRefused, type Facts, type ProblemCode } from './problems.ts'

type Question = readonly [ProblemCode, (accepting: Accepting, claims: Claims, items: readonly Item[]) => Facts | undefined]

/** Asked in this order; what is answered is why not. */
const QUESTIONS: readonly Question[] = [
  [
    'status-not-accepted',
    ({ status }, _, items) =>
      foreign(
        items.map((item) => item.status),
        status,
      ),
  ],
  ['policy-not-accepted', ({ policies }, _, items) => otherPolicy(policies, items)],
  [
    'weakening-not-accepted',
    ({ weakenings }, _, items) =>
      foreign(
        items.flatMap((item) => item.weakenings ?? []),
        weakenings,
      ),
  ],
  [
    'tolerated-not-accepted',
    ({ tolerated }, _, items) =>
      foreign(
        items.flatMap((item) => item.tolerated ?? []),
        tolerated,
      ),
  ],
  ['hardware-not-accepted', ({ hardware }, { tcb }, items) => foreign([tcb.hw], hardware) ?? withoutEvidence(tcb.hw, items)],
  ['debug-not-accepted', (accepting, claims) => debuggable(accepting, claims)],
  ['claim-not-accepted', otherClaim],
]

/** Throws what a valid token lacks: the first of the `…-not-accepted` with status 403. */
export function judge(accepting: Accepting, claims: Claims, items: readonly Item[]): void {
  for (const [code, ask] of QUESTIONS) {
    const facts = ask(accepting, claims, items)
    if (facts !== undefined) throw new AttestationRefused(code, facts)
  }
}

function foreign(actual: readonly string[], accepted: readonly string[]): Facts | undefined {
  const found = actual.filter((one) => !accepted.includes(one))
  return found.length === 0 ? undefined : { actual: found, accepted }
}

function otherPolicy(policies: Accept['policies'], items: readonly Item[]): Facts | undefined {
  if (policies === 'DANGEROUSLY_ANY_POLICY') return undefined
  const other = items.find(({ policy }) => !policies.some((accepted) => isPolicy(accepted, policy)))
  return other === undefined ? undefined : { actual: other.policy, accepted: policies }
}

const isPolicy = (accepted: AcceptedPolicy, { name, sha256: digest }: Item['policy']): boolean =>
  'sha256' in accepted ? accepted.sha256 === digest && (accepted.name ?? name) === name : accepted.DANGEROUSLY_BY_NAME === name

/** The flat claim alone would say what no evidence shows. */
const withoutEvidence = (hw: Hardware, items: readonly Item[]): Facts | undefined =>
  hw === 'none' || items.some(({ assay }) => assay[hw] !== undefined) ? undefined : { actual: 'no evidence', hardware: hw }

/** A TPM alone has no such claim, because it protects no memory. */
function debuggable({ debug }: Accepting, { tcb, dbgstat }: Claims): Facts | undefined {
  if (debug !== 'refuse' || tcb.hw === 'none' || dbgstat === 'disabled-since-boot') return undefined
  return { actual: dbgstat }
}

/** Conditions are for every item of their technology. There must be one, unless the token is of other hardware, which has its own. */
function otherClaim({ conditions, demanded }: Accepting, { tcb }: Claims, items: readonly Item[]): Facts | undefined {
  const absent = demanded.find((one) => (one === 'tpm' || one === tcb.hw) && !items.some(({ assay }) => assay[one] !== undefined))
  if (absent !== undefined) return { claim: absent, actual: undefined }
  const told = items.flatMap(({ assay }) => TECHNOLOGIES.map((technology) => [conditions[technology], assay[technology]] as const))
  return told.map(([wanted, all]) => (isObject(all) ? firstFailed(wanted, all) : undefined)).find((failed) => failed !== undefined)
}

function firstFailed(conditions: readonly Condition[], all: JsonObject): Facts | undefined {
  for (const { claim, path, wanted, test } of conditions) {
    const actual = valueAt(all, path)
    if (!test(actual, all)) return { claim, actual, wanted }
  }
  return undefined
}

/** Undefined where any step is absent. */
const valueAt = (all: JsonObject, path: readonly string[]): unknown =>
  path.reduce<unknown>((value, step) => (isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined), all)
