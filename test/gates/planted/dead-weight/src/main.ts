import { used } from './planted.ts'

process.stdout.write(used)
