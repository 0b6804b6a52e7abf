/** Prints the closing line of a test run from the runner's own JSON report. */
import { readFileSync } from 'node:fs'
import { z } from 'zod'

const report = z.object({ numPassedTests: z.int(), numFailedTests: z.int(), numPendingTests: z.int(), numTodoTests: z.int() })
const counts = report.parse(JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')))
process.stdout.write(
  `${counts.numPassedTests} passed, ${counts.numFailedTests} failed, ${counts.numPendingTests + counts.numTodoTests} skipped\n`,
)
