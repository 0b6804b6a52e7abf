/** Mutation scores of the verifiers, file by file, for a weekly run of some hours; fails when one is too low. Arguments: some of the files only. */
import { globSync } from 'node:fs'
import { mutate } from './mutation-run.ts'

const given = process.argv.slice(2)
const every = globSync('src/verifiers/**/*.ts')
  .filter((path) => !path.endsWith('.test.ts'))
  .toSorted()
process.exitCode = mutate(given.length > 0 ? given : every) ? 0 : 1
