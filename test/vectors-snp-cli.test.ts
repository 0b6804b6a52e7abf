import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assay, assayProcess, tempFiles, type Files, type Ran } from './cli.ts'
import { policyTextFromShorthand } from './policy-shorthand.ts'
import { agrees, snpCases, type SnpCase } from './snp-cases.ts'
import { vectorsPresent } from './vectors.ts'

type Answer = {
  accepted: boolean
  code: string | null
  mode: string
  question: string
  nonce: string
  status: string
  evidence: { checks: { outcome: string; code?: string }[] }[]
}

/** Kinds of refusal in their exit codes (design section 6). */
const UNDECIDED = /^(collateral-|snp-crl-)/

// Without a report there is nothing to verify; a rollback mark is kept by services only.
const cases = vectorsPresent() ? snpCases().filter((vector) => vector.class !== 'certificate' && vector.highestSeen === undefined) : []

let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

function argsFor(vector: SnpCase): string[] {
  const name = vector.name.replaceAll(/[^\w-]/g, '_')
  return [
    'verify',
    files.write(`${name}.json`, vector.evidence),
    '--offline',
    '--json',
    '--at',
    vector.at,
    ...(vector.bundle === undefined ? [] : ['--collateral', files.write(`${name}-bundle.json`, vector.bundle)]),
    ...(vector.testRoot === undefined ? [] : ['--insecure-test-root', vector.testRoot]),
    ...(vector.policy === null ? [] : ['--policy', files.write(`${name}-policy.json`, policyTextFromShorthand(vector.policy))]),
  ]
}

/** All in which an answer is not what the vector demands. */
function faults(vector: SnpCase, { code: exit, out }: Ran): readonly string[] {
  const answer = JSON.parse(out) as Answer
  const failed = answer.evidence.flatMap(({ checks }) => checks.flatMap(({ outcome, code }) => (outcome === 'fail' ? [code ?? ''] : [])))
  const codes = [...failed, ...(answer.code === null ? [] : [answer.code])]
  const demanded: readonly (readonly [boolean, string])[] = [
    [agrees(vector, answer.accepted ? 'pass' : 'fail', codes), `accepted ${answer.accepted} with ${codes.join(', ')}`],
    [answer.accepted === (answer.code === null), `accepted ${answer.accepted} with code ${answer.code}`],
    [exit === (answer.accepted ? 0 : UNDECIDED.test(answer.code ?? '') ? 3 : 1), `exit code ${exit} for ${answer.code}`],
    [answer.mode === (vector.testRoot === undefined ? 'production' : 'test'), `mode ${answer.mode}`],
    [answer.question === (vector.policy === null ? 'genuine' : 'acceptable'), `question ${answer.question}`],
    [answer.nonce === 'not-asked', `nonce ${answer.nonce}`],
  ]
  return demanded.flatMap(([holds, text]) => (holds ? [] : [text]))
}

describe.skipIf(cases.length === 0)('vectors/snp by the command line', () => {
  it('are all that have a report, without the one that needs a rollback mark', () => expect(cases).toHaveLength(188 - 6 - 1))

  it.each(cases.map((vector) => [vector.name, vector] as const))('%s', async (_, vector) => {
    expect(faults(vector, await assay(argsFor(vector)))).toEqual([])
  })

  const oneOfEach = [...Map.groupBy(cases, (vector) => `${vector.set} ${vector.class} ${vector.expected.verdict}`).values()].flatMap(
    ([first]) => (first === undefined ? [] : [first]),
  )
  it.each(oneOfEach.map((vector) => [vector.name, vector] as const))('%s in a process of its own', (_, vector) => {
    expect(faults(vector, assayProcess(argsFor(vector)))).toEqual([])
  })

  const shown = cases.filter(({ set, expected, decoded }) => set === 'real' && expected.verdict === 'pass' && decoded !== undefined)
  it.each(shown.map((vector) => [vector.name, vector] as const))('%s with the report data that it holds', async (_, vector) => {
    const data = String(vector.decoded?.['report_data'])
    const right = await assay([...argsFor(vector), '--report-data', data])
    expect(right.code).toBe(0)
    expect(JSON.parse(right.out)).toMatchObject({ nonce: 'checked', code: null })
    const wrong = await assay([...argsFor(vector), '--report-data', `${data.slice(0, -2)}${data.endsWith('00') ? '01' : '00'}`])
    expect(wrong.code).toBe(1)
    expect(JSON.parse(wrong.out)).toMatchObject({ nonce: 'checked', code: 'snp-report-data-mismatch', accepted: false })
  })
})
