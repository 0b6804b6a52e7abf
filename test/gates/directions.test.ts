import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { GATES } from '../../scripts/gates.ts'

const root = resolve(import.meta.dirname, '../..')

/** Reached while it runs is reached, too. */
const LOADED = [
  ['main.ts', './simulator/kds.ts'],
  ['service/', '../simulator/kds.ts'],
  ['cli/', '../simulator/kds.ts'],
] as const

/** Where code stands, and what it may not import from there: one planted file for each pair. */
const REFUSED = {
  'verifiers/': [
    'node:fs',
    'node:net',
    'node:timers/promises',
    'zod',
    'jose',
    'nanoid',
    '@peculiar/asn1-schema',
    '../appraisal/appraise.ts',
    '../routes/gate.ts',
    '../access/cnf.ts',
    '../tokens/keys.ts',
    '../collateral/kds.ts',
    '../stores/file.ts',
    '../telemetry/log.ts',
    '../config/listen.ts',
    '../service/memo.ts',
    '../cli/exit.ts',
    '../simulator/amd.ts',
    '../config.ts',
    '../app.ts',
    '../main.ts',
  ],
  'verifiers/snp/': ['node:fs', 'zod', '../../appraisal/appraise.ts', '../../config.ts', '../tdx/index.ts', '../tpm/index.ts'],
  'verifiers/tdx/': ['../snp/index.ts'],
  'verifiers/tpm/boot/': [
    'node:fs',
    'zod',
    '../../../appraisal/appraise.ts',
    '../../../config.ts',
    '../../tdx/index.ts',
    '../../snp/index.ts',
  ],
  'appraisal/': [
    'node:fs',
    'node:http',
    'hono',
    'jose',
    'redis',
    '../routes/gate.ts',
    '../access/cnf.ts',
    '../tokens/keys.ts',
    '../collateral/kds.ts',
    '../stores/file.ts',
    '../telemetry/log.ts',
    '../service/memo.ts',
    '../cli/exit.ts',
    '../simulator/amd.ts',
    '../config.ts',
    '../app.ts',
    '../main.ts',
  ],
  'appraisal/snp/': ['node:fs', 'hono', '../../routes/gate.ts', '../../stores/file.ts', '../../config.ts'],
  ...Object.fromEntries(
    ['access/', 'tokens/', 'enrolment/', 'collateral/', 'stores/', 'workers/', 'telemetry/'].map((room) => [
      room,
      ['../routes/gate.ts', '../service/memo.ts', '../cli/exit.ts', '../simulator/amd.ts', '../config.ts', '../app.ts', '../main.ts'],
    ]),
  ),
  'policies/': [
    '../stores/file.ts',
    '../config/listen.ts',
    '../routes/gate.ts',
    '../service/memo.ts',
    '../cli/exit.ts',
    '../simulator/amd.ts',
    '../config.ts',
    '../app.ts',
    '../main.ts',
  ],
  'config/': ['../routes/gate.ts', '../service/memo.ts', '../cli/exit.ts', '../simulator/amd.ts', '../app.ts', '../main.ts'],
  'config.ts': ['./routes/gate.ts', './service/memo.ts', './cli/exit.ts', './simulator/amd.ts', './app.ts', './main.ts'],
  'routes/': [
    '../stores/file.ts',
    '../policies/create.ts',
    '../workers/pool.ts',
    '../service/memo.ts',
    '../cli/exit.ts',
    '../simulator/amd.ts',
    '../config.ts',
    '../app.ts',
    '../main.ts',
  ],
  'app.ts': ['./stores/file.ts', './service/memo.ts', './cli/exit.ts', './simulator/amd.ts', './config.ts', './main.ts'],
  'service/': ['../cli/exit.ts', '../simulator/amd.ts', '../main.ts'],
  'main.ts': ['./cli/exit.ts', './simulator/amd.ts'],
  'simulator/': ['../routes/gate.ts', '../service/memo.ts', '../cli/exit.ts', '../config.ts', '../app.ts', '../main.ts'],
  'cli/': ['../simulator/amd.ts'],
  // The kit is a package of its own, which runs in browsers, too.
  'clients/relying-party/src/': [
    'node:crypto',
    'node:fs',
    'hono',
    'zod',
    'express',
    'json5',
    'jo',
    '../../../src/access/cnf.ts',
    '../test/lab.ts',
  ],
} satisfies Readonly<Record<string, readonly string[]>>

/** What must stay possible: a rule that refuses everything would pass the tests above. */
const ALLOWED = {
  'verifiers/': ['node:crypto', './der.ts', './snp/index.ts'],
  'verifiers/snp/': ['node:crypto', './report.ts', '../der.ts'],
  'verifiers/tpm/boot/': ['node:crypto', './claims.ts', '../problems.ts', '../../der.ts', '../../event-log/parse.ts'],
  'appraisal/': ['node:crypto', 'zod', 'yaml', './check.ts', './snp/index.ts', '../verifiers/problems.ts'],
  'appraisal/snp/': ['../check.ts', '../../verifiers/problems.ts'],
  'tokens/': ['jose', 'node:fs', '../appraisal/appraisal.ts', '../verifiers/problems.ts'],
  'stores/': ['redis', '../appraisal/appraisal.ts'],
  'policies/': ['node:fs', 'zod', '../appraisal/appraisal.ts', '../access/audiences.ts', '../verifiers/problems.ts'],
  'routes/': ['zod', '../access/cnf.ts', '../verifiers/registry.ts'],
  'service/': ['../app.ts', '../config.ts', '../routes/problem.ts', '../stores/file.ts'],
  'cli/': ['../main.ts', '../routes/gate.ts'],
  'clients/relying-party/src/': ['jose', './json.ts'],
} satisfies Readonly<Record<string, readonly string[]>>

/** Code that a pure room may not hold, and what the gate says of it. */
const IMPURE = [
  ['fetch(new URL("http://localhost"))', 'fetch'],
  ['process.env', 'process'],
  ['globalThis.process', 'globalThis'],
  ['setTimeout(() => 1, 1)', 'setTimeout'],
  ['performance.now()', 'performance'],
  ['Date.now()', 'time is an argument'],
  ['Math.random()', 'randomness is an argument'],
  ["import('node:fs')", 'node:fs'],
] as const

type Plant = { readonly file: string; readonly code: string; readonly says: string }

const fileIn = (place: string, index: number | string): string => {
  const path = place.endsWith('/') ? `${place}planted-${index}.ts` : place
  return path.startsWith('clients/') ? path : `src/${path}`
}
/** A room that is one file gets one import after the other, in one file; the gate names each. */
const importing = (source: string) => `export { value as v${source.replaceAll(/\W/g, '_')} } from '${source}'\n`

const plants = (table: Readonly<Record<string, readonly string[]>>, kind: string): readonly Plant[] =>
  Object.entries(table).flatMap(([place, sources]) =>
    sources.map((source, index) => ({ file: fileIn(place, `${kind}-${index}`), code: importing(source), says: source })),
  )

const refused = plants(REFUSED, 'refused')
const loaded = LOADED.map(([place, says]): Plant => ({
  file: fileIn(place, 'loaded'),
  code: `export const loaded = import('${says}')\n`,
  says,
}))
const allowed = plants(ALLOWED, 'allowed')
const impure = ['verifiers/', 'appraisal/', 'verifiers/snp/', 'verifiers/tpm/boot/', 'appraisal/snp/'].flatMap((place) =>
  IMPURE.map(([code, says], index): Plant => ({
    file: fileIn(place, `impure-${index}`),
    code: `export const value: unknown = ${code}\n`,
    says,
  })),
)

type Diagnostic = {
  readonly filename: string
  readonly message: string
  readonly help?: string
  readonly labels?: readonly { span: { line: number } }[]
}
let said: readonly Diagnostic[]
const folder = mkdtempSync(join(tmpdir(), 'assay-directions-'))

beforeAll(() => {
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'))
  cpSync(join(root, 'tsconfig.json'), join(folder, 'tsconfig.json'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  for (const { file, code } of [...refused, ...loaded, ...allowed, ...impure]) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    writeFileSync(join(folder, file), code, { flag: 'a' })
  }
  const [program, ...args] = GATES.find(({ name }) => name === 'lint')?.command ?? ['false']
  const { stdout } = spawnSync(join(root, 'node_modules/.bin', program), [...args, '--format', 'json'], { cwd: folder, encoding: 'utf8' })
  said = (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const text = ({ message, help = '' }: Diagnostic) => `${message} ${help}`

describe('import direction', () => {
  it.each([...refused, ...loaded])('$file may not import $says', ({ file, says }) => {
    expect(said.filter(({ filename, message }) => filename === file && message.includes(`'${says}'`)).map(text)).not.toEqual([])
  })

  it.each(allowed)('$file may import $says', ({ file }) => {
    expect(said.filter(({ filename }) => filename === file).map(text)).toEqual([])
  })
})

describe('purity', () => {
  it.each(impure)('$file may not say $code', ({ file, says }) => {
    expect(said.filter((diagnostic) => diagnostic.filename === file && text(diagnostic).includes(says)).map(text)).not.toEqual([])
  })
})
