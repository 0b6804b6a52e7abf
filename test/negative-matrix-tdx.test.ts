import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROWS = Array.from({ length: 90 }, (_, i) => i + 1)

it('the negative matrix of specification tdx.md section 11 has a case for every row', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^negative-matrix-tdx-.*\.test\.ts$/.test(name))
  const text = files.map((name) => readFileSync(resolve(import.meta.dirname, name), 'utf8')).join('\n')
  const covered = new Set([...text.matchAll(/^\s*(?:\[\s*|it\(|it\.each\(rows\)\()?'(\d+): /gm)].map(([, row]) => Number(row)))
  expect(ROWS.filter((row) => !covered.has(row))).toEqual([])
})
