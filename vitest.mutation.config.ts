import { relative } from 'node:path'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** The tests beside what is mutated come first: they are quick, and the first that fails ends the run of a mutant. */
class BesideFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const path = ({ moduleId }: TestSpecification): string => relative(this.ctx.config.root, moduleId)
    return Promise.resolve(files.toSorted((a, b) => (path(a) < path(b) ? -1 : 1)))
  }
}

const ROOMS = ['src/{access,appraisal}/**/*.test.ts', 'test/negative-matrix-*-policy.test.ts', 'test/misconfigurations.test.ts']
const VERIFIERS = [
  'src/verifiers/**/*.test.ts',
  'test/negative-matrix-*.test.ts',
  'test/properties.test.ts',
  'test/vectors-{event-logs,snp,snp-certificates,tdx,tdx-collateral,tdx-quotes}.test.ts',
  'test/wycheproof-signatures.test.ts',
  'test/{snp,tdx}-bit-flips.test.ts',
]

/** The tests that Stryker runs: those that call the rooms concerned in their own process, where a mutant can be seen. */
export default defineConfig({
  test: {
    include: process.env['ASSAY_MUTATED']?.startsWith('src/verifiers') === true ? VERIFIERS : ROOMS,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: BesideFirst },
  },
})
