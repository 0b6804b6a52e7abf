import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

/** Rows of specification snp.md section 16 that belong to HCL, init-data and SVSM evidence, which is not supported yet. */
const LATER = [73, 74, 75, 76, 77]
const ROWS = Array.from({ length: 80 }, (_, i) => i + 1).filter((row) => !LATER.includes(row))

it('the negative matrix has a case for every row', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^negative-matrix-snp-.*\.test\.ts$/.test(name))
  const text = files.map((name) => readFileSync(resolve(import.meta.dirname, name), 'utf8')).join('\n')
  const covered = new Set([...text.matchAll(/^ {2}(?:\[| {2})'(\d+): /gm)].map(([, row]) => Number(row)))
  expect(ROWS.filter((row) => !covered.has(row))).toEqual([])
})
