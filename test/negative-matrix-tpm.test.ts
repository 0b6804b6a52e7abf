import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROWS = Array.from({ length: 86 }, (_, i) => i + 1)

it('the negative matrix of specification tpm.md section 17 has a case for every row up to 86', () => {
  const files = readdirSync(import.meta.dirname).filter((name) => /^negative-matrix-tpm-.*\.test\.ts$/.test(name))
  const text = files.map((name) => readFileSync(resolve(import.meta.dirname, name), 'utf8')).join('\n')
  const covered = new Set([...text.matchAll(/^\s*(?:\[\s*|it\()?['`](\d+): /gm)].map(([, row]) => Number(row)))
  expect(ROWS.filter((row) => !covered.has(row))).toEqual([])
})
