import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseSync, Visitor, type Expression, type ObjectExpression, type SpreadElement } from 'oxc-parser'
import { isProblemCode, type ProblemCode } from '../src/verifiers/problems.ts'

const ID = /^(?:SNP|TDX|TPM)-[0-9]+$/
const ROOT = resolve(import.meta.dirname, '..')

/**
 * The numbers of the checks that end in each code, as far as rules under src/verifiers and src/appraisal write both side by side, in one object,
 * one row or one call.
 */
export function writtenChecks(): ReadonlyMap<ProblemCode, readonly string[]> {
  const files = globSync('src/{verifiers,appraisal}/**/*.ts', { cwd: ROOT }).filter((path) => !path.endsWith('.test.ts'))
  const found = new Map<ProblemCode, readonly string[]>()
  for (const words of files.flatMap(groupsOf)) {
    const ids = words.filter((word) => ID.test(word))
    for (const code of words.filter(isProblemCode)) found.set(code, [...new Set([...(found.get(code) ?? []), ...ids])])
  }
  return found
}

type Words = readonly string[]

/** The strings that stand side by side somewhere in a file. */
function groupsOf(path: string): readonly Words[] {
  const { program } = parseSync(path, readFileSync(resolve(ROOT, path), 'utf8'))
  const constants = new Map<string, Words>()
  const groups: Words[] = []
  new Visitor({
    VariableDeclarator: ({ id, init }) => {
      const value = init?.type === 'TSAsExpression' ? init.expression : init
      if (id.type === 'Identifier' && value?.type === 'ObjectExpression') constants.set(id.name, wordsOf(value, constants))
    },
    'ObjectExpression:exit': (node) => void groups.push(wordsOf(node, constants)),
    'ArrayExpression:exit': ({ elements }) => void groups.push(elements.flatMap((element) => wordOf(element))),
    'CallExpression:exit': ({ arguments: given }) => void groups.push(given.flatMap((argument) => wordOf(argument))),
  }).visit(program)
  return groups
}

function wordsOf({ properties }: ObjectExpression, constants: ReadonlyMap<string, Words>): Words {
  return properties.flatMap((property) => {
    if (property.type === 'Property') return wordOf(property.value)
    return property.argument.type === 'Identifier' ? (constants.get(property.argument.name) ?? []) : []
  })
}

const wordOf = (node: Expression | SpreadElement | null): Words =>
  node?.type === 'Literal' && typeof node.value === 'string' ? [node.value] : []
