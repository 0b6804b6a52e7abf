import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'

const ROOT = resolve(import.meta.dirname, '..')

/** Test files with properties, and how often each runs one and gives a seed. */
const files = globSync(['src/**/*.test.ts', 'test/**/*.test.ts'], { cwd: ROOT })
  .map((name) => ({ name, text: readFileSync(resolve(ROOT, name), 'utf8') }))
  .filter(({ text }) => text.includes("from 'fast-check'"))
  .map(({ name, text }) => ({
    name,
    properties: [...text.matchAll(/\b(?:fc\.)?assert\(/g)].length,
    seeds: [...text.matchAll(/\bseed: \d/g)].length,
  }))

it('every property runs with a fixed seed, so that a failure is found again', () => {
  expect(files.length).toBeGreaterThan(10)
  expect(files.filter(({ properties, seeds }) => properties !== seeds)).toEqual([])
})
