import { isScalar, LineCounter, visit } from 'yaml'
import type { Document, YAMLMap } from 'yaml'
import { boundedYaml, MOST_LEVELS } from './bounded-yaml.ts'

/** What is wrong with a text itself. The line is counted from 1; absent where it is the whole. */
export type TextProblem = { readonly path: ''; readonly message: string; readonly line?: number }

/** A text that says one thing: its document, and where its lines begin. */
export type YamlText = { readonly yaml: Document; readonly lines: LineCounter }

/** Far above any list of measurements; bounds the work of the YAML reader. */
const MOST_CHARACTERS = 4 * 1024 * 1024

/** Problems that are told with their lines: to find a line takes time. The caller says how many more there are. */
const MOST_PROBLEMS = 100

/**
 * Reads YAML, of which JSON is a part: one document, no key twice, not too long, not nested too deeply. Aliases are for {@link plainValue}
 * to refuse. Else all that is wrong, the first hundred one by one.
 */
export function readYaml(text: string): YamlText | readonly TextProblem[] {
  if (text.length > MOST_CHARACTERS) return [{ path: '', message: `longer than ${MOST_CHARACTERS} characters` }]
  const lines = new LineCounter()
  const read = boundedYaml(text, lines)
  if (read === 'too-deep') return [{ path: '', message: `nested deeper than ${MOST_LEVELS} levels` }]
  const { document: yaml, second } = read
  const further = second === undefined ? [] : [{ message: 'the text holds multiple documents', pos: [second, second] as const }]
  const syntax = [...yaml.errors, ...yaml.warnings, ...further]
  const flaws = syntax.length > 0 ? syntax : doubles(yaml)
  return flaws.length > 0 ? firstOf(flaws, (flaw) => problemOf(flaw, lines)) : { yaml, lines }
}

/** The first hundred, and how many more there are. */
export function firstOf<F, P>(found: readonly F[], problem: (one: F) => P): readonly (P | TextProblem)[] {
  const told = found.slice(0, MOST_PROBLEMS).map((one) => problem(one))
  if (found.length <= MOST_PROBLEMS) return told
  return [...told, { path: '', message: `and ${found.length - MOST_PROBLEMS} more problems` }]
}

/** What a document says, as plain values; `'aliases'` where it holds one: aliases could make a small file a large document. */
export function plainValue(yaml: Document): { readonly value: unknown } | 'aliases' {
  try {
    return { value: yaml.toJS({ maxAliasCount: 0 }) }
  } catch {
    return 'aliases'
  }
}

/** Keys that are one member in JavaScript: `1` and `"1"`, too. */
function doubles(yaml: Document): readonly Flaw[] {
  const found: Flaw[] = []
  visit(yaml, { Map: (_, map) => void found.push(...doublesOf(map)) })
  return found
}

function doublesOf(map: YAMLMap): readonly Flaw[] {
  const seen = new Set<string>()
  return map.items.flatMap(({ key }) => {
    if (!isScalar(key)) return [{ message: 'a key must be text', pos: [map.range?.[0] ?? 0, 0] as const }]
    const name = memberName(key.value)
    const known = seen.has(name)
    seen.add(name)
    return known ? [{ message: 'keys of a mapping must be unique', pos: [key.range?.[0] ?? 0, 0] as const }] : []
  })
}

const memberName = (key: unknown): string =>
  typeof key === 'string' || typeof key === 'number' || typeof key === 'boolean' ? `${key}` : ''

type Flaw = { readonly message: string; readonly pos: readonly [number, number] }

const problemOf = (flaw: Flaw, lines: LineCounter): TextProblem => ({
  path: '',
  // Behind a colon the reader quotes the text, which may hold what is not for logs.
  message: flaw.message.replace(/ at line \d[^]*$/, '').replace(/: [^]*$/, ''),
  line: lines.linePos(flaw.pos[0]).line,
})
