import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join, resolve } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { GATES } from '../../scripts/gates.ts'

const root = resolve(import.meta.dirname, '../..')
const folders: string[] = []

/** Each planted violation, the gate that must see it, and what that gate must say: red for another reason proves nothing. */
const PLANTED = [
  { folder: 'format', gate: 'format', says: 'planted.ts' },
  { folder: 'lint-floating', gate: 'lint', says: 'no-floating-promises' },
  { folder: 'types', gate: 'types', says: 'TS2322' },
  { folder: 'load-test-types', gate: 'load-test types', says: 'TS2322' },
  { folder: 'dead-weight', gate: 'dead-weight', says: 'unused' },
  { folder: 'documentation', gate: 'documentation', says: 'no doc comment: src/verifiers/planted.ts' },
  { folder: 'purity', gate: 'purity', says: 'new Date() reads the clock' },
  { folder: 'purity', gate: 'purity', says: ' Date() reads the clock' },
  { folder: 'purity', gate: 'purity', says: 'let of a module is state' },
  { folder: 'dependencies', gate: 'dependencies', says: 'left-pad' },
  { folder: 'dependencies', gate: 'dependencies', says: 'right-pad: ^1.0.0 is not an exact version' },
  { folder: 'shell', gate: 'shell', says: 'SC2086' },
  { folder: 'contract', gate: 'contract', says: 'path-parameters-defined' },
  { folder: 'tests', gate: 'tests', says: 'expected 1 to be 2' },
  { folder: 'coverage', gate: 'tests', says: 'does not meet "src/verifiers/**/*.ts" threshold' },
] as const

/** A folder that looks like the project to the gates: its settings, its scripts, and one planted file. */
function project(planted: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'assay-gate-'))
  folders.push(folder)
  for (const file of [
    'package.json',
    'tsconfig.json',
    'load-tests/tsconfig.json',
    'vitest.config.ts',
    '.oxlintrc.json',
    '.prettierrc.json',
    'redocly.yaml',
    'scripts',
    'docs/dependencies.md',
  ])
    if (existsSync(join(root, file))) cpSync(join(root, file), join(folder, file), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  cpSync(join(import.meta.dirname, 'planted', planted), folder, { recursive: true })
  return folder
}

afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

describe('every gate can fail', () => {
  it.each(PLANTED)('$gate sees $folder: $says', ({ folder, gate, says }) => {
    const command = GATES.find((g) => g.name === gate)?.command ?? ['false']
    const [program, ...args] = command
    const env = { ...process.env, PATH: `${join(root, 'node_modules/.bin')}${delimiter}${process.env['PATH'] ?? ''}` }
    const result = spawnSync(program, args, { cwd: project(folder), env, encoding: 'utf8' })
    expect(`${result.stdout}${result.stderr}`).toContain(says)
    expect(result.status).not.toBe(0)
  })

  it('plants a violation for every gate', () => {
    expect(new Set(PLANTED.map((p) => p.gate))).toEqual(new Set(GATES.map((g) => g.name)))
  })
})
