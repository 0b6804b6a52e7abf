/** Fails when an export under src/verifiers has no doc comment. */
import { globSync, readFileSync } from 'node:fs'
import { parseSync } from 'oxc-parser'

/** Exported names of one module that no doc comment stands in front of. */
function undocumented(path: string): readonly string[] {
  const text = readFileSync(path, 'utf8')
  const { program, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? 'cannot be parsed'}`)
  const ends = new Set(comments.filter((c) => c.type === 'Block' && c.value.startsWith('*')).map((c) => c.end))
  const documented = (start: number): boolean => ends.has(text.slice(0, start).trimEnd().length)
  return program.body
    .filter((node) => node.type === 'ExportNamedDeclaration' && node.declaration !== null && !documented(node.start))
    .map((node) => `${path}:${text.slice(0, node.start).split('\n').length}: ${text.slice(node.start).split('\n', 1)[0] ?? ''}`)
}

const files = globSync('src/verifiers/**/*.ts').filter((path) => !path.endsWith('.test.ts'))
const missing = files.flatMap(undocumented)
for (const line of missing) process.stdout.write(`no doc comment: ${line}\n`)
// A gate that saw nothing must not be green.
if (files.length === 0) process.stdout.write('no file under src/verifiers was seen\n')
process.exitCode = missing.length > 0 || files.length === 0 ? 1 : 0
