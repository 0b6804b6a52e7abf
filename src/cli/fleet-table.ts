import type { AttestAnswer } from '../simulator/attest.ts'
import type { FleetMember } from '../simulator/fleet.ts'
import { printable, styled } from './output.ts'

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
    check: failedCheck(answer, code),
  }
}

/** The failed check that answers for the refusal; what the service checks before any evidence has no number, but says what it found. */
function failedCheck({ body }: AttestAnswer, code: string): FailedCheck | undefined {
  if (code === 'issued') return undefined
  const checks = field(body, 'checks')
  const failed: unknown = Array.isArray(checks) ? checks.find((check: unknown) => answersFor(check, code)) : undefined
  const said =
    failed === undefined
      ? ['REQUEST', text(body, 'detail'), text(body, 'remedy')]
      : ['id', 'actual', 'expected'].map((name) => text(failed, name))
  const [id = '', actual = '', expected = ''] = said
  return { id, actual, expected }
}

const answersFor = (check: unknown, code: string): boolean => field(check, 'code') === code && field(check, 'outcome') === 'fail'

const field = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? Object.entries(value).find(([key]) => key === name)?.[1] : undefined

function text(value: unknown, name: string): string | undefined {
  const found = field(value, name)
  return typeof found === 'string' ? found : undefined
}

const WIDTHS = { name: 13, product: 7, story: 35, verdict: 32 } as const

/** The head of the table. */
export const fleetHead = (): string =>
  styled(
    'bold',
    `${'HOST'.padEnd(WIDTHS.name)}${'CPU'.padEnd(WIDTHS.product)}${'WHAT IT IS'.padEnd(WIDTHS.story)}${'VERDICT'.padEnd(WIDTHS.verdict)}   MS`,
  )

/** One line for a host, and for a refusal the check that failed with its values. */
export function fleetRow({ member, code, agrees, milliseconds, check }: FleetResult): string {
  const { name, host, story } = member
  const verdict =
    code === 'issued' ? styled('green', 'token'.padEnd(WIDTHS.verdict)) : styled('red', printable(code).padEnd(WIDTHS.verdict))
  const line = `${name.padEnd(WIDTHS.name)}${host.product.padEnd(WIDTHS.product)}${story.padEnd(WIDTHS.story)}${verdict}${String(milliseconds).padStart(5)}`
  const detail =
    check === undefined
      ? []
      : [`    ${check.id}  expected ${short(check.expected)}`, `    ${' '.repeat(check.id.length)}  actual   ${short(check.actual)}`]
  const wrong = agrees === 'yes' ? [] : [styled('red', `    this is not what must come of it: ${member.expected}`)]
  return [line, ...detail, ...wrong].join('\n')
}

const SHORT = 90

/** Long digests by both their ends: enough to tell them apart. */
function short(value: string): string {
  const safe = printable(value)
  return safe.length <= SHORT ? safe : `${safe.slice(0, SHORT - 14)}…${safe.slice(-12)}`
}
