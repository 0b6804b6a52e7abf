/** Mutation scores of the rooms that decide by policy, that know who calls, that write tokens and that check them; fails when one is too low. Arguments: other folders or files. */
import { mutate } from './mutation-run.ts'

const ROOMS = ['src/appraisal', 'src/access', 'src/tokens', 'clients/relying-party/src']

const given = process.argv.slice(2)
process.exitCode = mutate(given.length > 0 ? given : ROOMS) ? 0 : 1
