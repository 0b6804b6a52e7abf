/** Every gate, one after the other; stops at the first that fails. Arguments behind `--` go to the tests. */
import { spawnSync } from 'node:child_process'
import { delimiter, join, resolve } from 'node:path'
import { GATES, type Gate } from './gates.ts'

const root = resolve(import.meta.dirname, '..')
const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}` }
const extra = process.argv.slice(2)

for (const gate of GATES satisfies readonly Gate[]) {
  const started = Date.now()
  const [program, ...args] = gate.command
  const forTests = gate.name === 'tests' ? extra : []
  process.stdout.write(`\n── ${gate.name}: ${[program, ...args, ...forTests].join(' ')}\n`)
  const { status } = spawnSync(program, [...args, ...forTests], { cwd: root, env, stdio: 'inherit' })
  if (status !== 0) {
    process.stdout.write(`\n✗ ${gate.name} failed\n`)
    process.exit(1)
  }
  process.stdout.write(`✓ ${gate.name} (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
}
