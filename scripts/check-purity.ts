/** Fails when src/verifiers or src/appraisal reads the clock or keeps state between calls: what the linter's rules cannot see. */
import { globSync, readFileSync } from 'node:fs'
import { parseSync, Visitor } from 'oxc-parser'

const isClock = (callee: { readonly type: string; readonly name?: unknown }) => callee.type === 'Identifier' && callee.name === 'Date'

/** Lines of one module that are not pure, with what is wrong there. */
function impure(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8')
  const { program } = parseSync(path, text)
  const found: string[] = []
  const complain = (start: number, what: string) => found.push(`${path}:${text.slice(0, start).split('\n').length}: ${what}`)
  new Visitor({
    NewExpression: (node) => {
      if (isClock(node.callee) && node.arguments.length === 0) complain(node.start, 'new Date() reads the clock: time is an argument')
    },
    CallExpression: (node) => {
      if (isClock(node.callee)) complain(node.start, 'Date() reads the clock: time is an argument')
    },
  }).visit(program)
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (node?.type === 'VariableDeclaration' && node.kind !== 'const') complain(node.start, `${node.kind} of a module is state`)
  }
  return found
}

const files = globSync('src/{verifiers,appraisal}/**/*.ts').filter((path) => !path.endsWith('.test.ts'))
const wrong = files.flatMap(impure)
for (const line of wrong) process.stdout.write(`not pure: ${line}\n`)
// A gate that saw nothing must not be green.
if (files.length === 0) process.stdout.write('no file under src/verifiers or src/appraisal was seen\n')
process.exitCode = wrong.length > 0 || files.length === 0 ? 1 : 0
