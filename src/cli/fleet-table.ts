import type { AttestAnswer } from '../simulator/attest.ts'
import type { FleetMember } from '../simulator/fleet.ts'
import { printable, styled, wrap } from './output.ts'

/** What came of one host: `agrees` when it is what the fleet says must come of it. */
export type FleetResult = {
  readonly member: FleetMember
  readonly code: string
  readonly agrees: 'yes' | 'no'
  readonly milliseconds: number
  readonly token: string | undefined
  readonly check: FailedCheck | undefined
}

type FailedCheck = { readonly id: string; readonly actual: string; readonly expected: string }

/** Attests one host and reads the answer. */
export async function runMember(member: FleetMember, target: Parameters<FleetMember['run']>[0]): Promise<FleetResult> {
  const start = performance.now()
  const answer = await member.run(target)
  const token = text(answer.body, 'token')
  const code = answer.status === 201 && token !== undefined ? 'issued' : (text(answer.body, 'code') ?? `status ${answer.status}`)
  return {
    member,
    code,
    agrees: code === member.expected ? 'yes' : 'no',
    milliseconds: Math.round(performance.now() - start),
    token,
    check: code === 'issued' ? undefined : failedCheck(answer, code),
  }
}

/** The failed check that answers for the refusal; what the service checks before any evidence has no number, but says what it found. */
function failedCheck({ body }: AttestAnswer, code: string): FailedCheck {
  const checks = field(body, 'checks')
  const failed: unknown = Array.isArray(checks) ? checks.find((check: unknown) => answersFor(check, code)) : undefined
  if (failed === undefined) return { id: 'request', actual: text(body, 'detail') ?? '', expected: REQUESTS[code] ?? '' }
  const [id = '', actual = '', expected = ''] = ['id', 'actual', 'expected'].map((name) => text(failed, name))
  return { id, actual, expected }
}

/** What the service expects of a request before it looks at evidence; the problem itself says only what was wrong. */
const REQUESTS: Readonly<Record<string, string>> = { 'challenge-spent': 'a challenge that no request has used' }

const answersFor = (check: unknown, code: string): boolean => field(check, 'code') === code && field(check, 'outcome') === 'fail'

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

function text(value: unknown, name: string): string | undefined {
  const found = field(value, name)
  return typeof found === 'string' ? found : undefined
}

/** Together with the time they make 80 columns, the width of a terminal that nobody has widened. */
const WIDTHS = { name: 12, product: 6, story: 27, verdict: 31, milliseconds: 4 } as const
const LINE = 80

/** The head of the table. */
export const fleetHead = (): string =>
  styled(
    'bold',
    `${'HOST'.padEnd(WIDTHS.name)}${'ROOT'.padEnd(WIDTHS.product)}${'WHAT IT IS'.padEnd(WIDTHS.story)}${'VERDICT'.padEnd(WIDTHS.verdict)}${'MS'.padStart(WIDTHS.milliseconds)}`,
  )

/** One line for a host, and for a refusal the check that failed with its values. */
export function fleetRow({ member, code, agrees, milliseconds, check }: FleetResult): string {
  const { name, host, story } = member
  const verdict =
    code === 'issued' ? styled('green', 'token'.padEnd(WIDTHS.verdict)) : styled('red', printable(code).padEnd(WIDTHS.verdict))
  const line = `${name.padEnd(WIDTHS.name)}${host.product.padEnd(WIDTHS.product)}${story.padEnd(WIDTHS.story)}${verdict}${String(milliseconds).padStart(WIDTHS.milliseconds)}`
  const detail = check === undefined ? [] : detailLines(check)
  const wrong = agrees === 'yes' ? [] : [styled('red', `    this is not what must come of it: ${member.expected}`)]
  return [line, ...detail, ...wrong].join('\n')
}

function detailLines({ id, expected, actual }: FailedCheck): readonly string[] {
  const margin = ' '.repeat(WIDTHS.name)
  const value = (name: string, said: string) => {
    const label = `${name.padEnd(8)} `
    const [first = '', ...more] = wrap(shortWords(printable(said)), LINE - WIDTHS.name * 2 - label.length)
    return [`${label}${first}`, ...more.map((part) => `${' '.repeat(label.length)}${part}`)]
  }
  const lines = [...value('expected', expected), ...value('actual', actual)]
  return lines.map((line, index) => `${margin}${(index === 0 ? id : '').padEnd(WIDTHS.name)}${line}`)
}

/** Long digests by both their ends: enough to tell them apart. */
const shortWords = (said: string): string => said.replaceAll(/\w{41,}/g, (word) => `${word.slice(0, 20)}…${word.slice(-12)}`)
