import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const kit = resolve(import.meta.dirname, '..')
const root = resolve(kit, '../..')

/** The package as it is published, in a folder beside which only its dependency can be found. */
export type Built = { readonly folder: string; readonly dist: string; readonly remove: () => void }

/** Builds `dist` with tsc. */
export function buildKit(): Built {
  const folder = mkdtempSync(join(tmpdir(), 'assay-kit-built-'))
  const dist = join(folder, 'dist')
  execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', join(kit, 'tsconfig.build.json'), '--outDir', dist], { stdio: 'pipe' })
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(join(root, 'node_modules/jose'), join(folder, 'node_modules/jose'))
  return { folder, dist, remove: () => rmSync(folder, { recursive: true, force: true }) }
}
