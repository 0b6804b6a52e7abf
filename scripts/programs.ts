/**
 * Gets the relying parties that tests ask into .programs/bin: `python`, those that PyPI has as built programs; `go`, those that are built
 * from their own source, for minutes. `node scripts/programs.ts python go`
 */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { basename, dirname, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const folder = resolve(root, '.programs')

function run(program: string, args: readonly string[], cwd = root): void {
  const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit' })
  if (error !== undefined || status !== 0) throw new Error(`${program} ${args.join(' ')} failed${error ? `: ${error.message}` : ''}`)
}

function python(): void {
  run('python3', ['-m', 'venv', folder])
  const options = ['--quiet', '--disable-pip-version-check', '--no-deps', '--only-binary', ':all:', '--require-hashes']
  run(resolve(folder, 'bin/pip'), ['install', ...options, '--requirement', 'test/relying-parties/programs.txt'])
}

/** One program for each module; a module without a main.go of ours names another's program as a tool. */
function go(): void {
  for (const path of globSync('test/relying-parties/go/*/go.mod', { cwd: root })) {
    const module = resolve(root, dirname(path))
    const started = Date.now()
    run('go', ['build', '-trimpath', '-o', resolve(folder, 'bin', basename(module)), targetOf(module)], module)
    process.stdout.write(`${basename(module)} built in ${Math.round((Date.now() - started) / 1000)} s\n`)
  }
}

function targetOf(module: string): string {
  if (globSync('main.go', { cwd: module }).length > 0) return '.'
  const { stdout } = spawnSync('go', ['list', 'tool'], { cwd: module, encoding: 'utf8' })
  return stdout.trim()
}

const KINDS: Readonly<Record<string, () => void>> = { python, go }
for (const kind of process.argv.slice(2)) {
  const get = KINDS[kind]
  if (get === undefined) throw new Error(`${kind}: expected ${Object.keys(KINDS).join(', ')}`)
  get()
}
