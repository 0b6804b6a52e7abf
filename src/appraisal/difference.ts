import type { Check } from '../verifiers/verifier.ts'

/** One check as two policies answer it for the same evidence; undefined where one of them does not come to it. */
export type CheckDifference = {
  readonly id: string
  readonly title: string
  readonly before: Check | undefined
  readonly after: Check | undefined
}

/**
 * The checks that end in another way under another policy, or that expect something else, in the order of `after`; checks that are only in
 * `before` come last. Several checks may share number and title (one for each certificate of a chain): they are told apart by their order.
 */
export function differencesOf(before: readonly Check[], after: readonly Check[]): readonly CheckDifference[] {
  const [old, young] = [named(before), named(after)]
  const names = new Set([...young.keys(), ...old.keys()])
  return [...names].flatMap((name) => differenceOf(old.get(name), young.get(name)))
}

function named(checks: readonly Check[]): ReadonlyMap<string, Check> {
  const counts = new Map<string, number>()
  return new Map(
    checks.map((check) => {
      const question = `${check.id} ${check.title}`
      const count = counts.get(question) ?? 0
      counts.set(question, count + 1)
      return [`${question} ${count}`, check]
    }),
  )
}

function differenceOf(before: Check | undefined, after: Check | undefined): readonly CheckDifference[] {
  const check = after ?? before
  if (check === undefined || (before !== undefined && after !== undefined && isSame(before, after))) return []
  return [{ id: check.id, title: check.title, before, after }]
}

const isSame = (before: Check, after: Check): boolean => before.outcome === after.outcome && before.expected === after.expected
