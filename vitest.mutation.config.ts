import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** How many characters two paths have in common from the left. */
function shared(a: string, b: string): number {
  let at = 0
  while (at < a.length && a[at] === b[at]) at += 1
  return at
}

/** Tests whose path is most like that of what is mutated come first: they are most likely to notice, and the first that fails ends a run. */
class NearestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const { related = [] } = this.ctx.config
    const distance = ({ moduleId }: TestSpecification): number => -Math.max(0, ...related.map((path) => shared(path, moduleId)))
    return Promise.resolve(files.toSorted((a, b) => distance(a) - distance(b)))
  }
}

const ROOMS = [
  'src/{access,appraisal}/**/*.test.ts',
  // Files of keys belong to the room of callers, and are tested through those who sign.
  'src/tokens/keys.test.ts',
  'test/negative-matrix-*-policy.test.ts',
  'test/misconfigurations.test.ts',
]
const VERIFIERS = [
  'src/verifiers/**/*.test.ts',
  'test/negative-matrix-*.test.ts',
  'test/properties.test.ts',
  'test/vectors-{event-logs,snp,snp-certificates,tdx,tdx-collateral,tdx-quotes}.test.ts',
  'test/wycheproof-signatures.test.ts',
  'test/{snp,tdx}-bit-flips.test.ts',
]

const TOKENS = ['src/tokens/**/*.test.ts', 'src/cli/keys-command.test.ts', 'test/http-token{s,-keys}.test.ts']

const KIT = ['clients/relying-party/src/**/*.test.ts']

/** Which tests are about a path. */
function testsOf(mutated: string): string[] {
  if (mutated.startsWith('clients/relying-party')) return KIT
  if (mutated.startsWith('src/tokens')) return TOKENS
  return mutated.startsWith('src/verifiers') ? VERIFIERS : ROOMS
}

/** The tests that Stryker runs: those that call the rooms concerned in their own process, where a mutant can be seen. */
export default defineConfig({
  test: {
    include: testsOf(process.env['ASSAY_MUTATED'] ?? ''),
    testTimeout: 30_000,
    hookTimeout: 60_000,
    sequence: { sequencer: NearestFirst },
  },
})
