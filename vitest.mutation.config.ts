import { defineConfig } from 'vitest/config'

/** The tests that Stryker runs: those that call the rooms concerned in their own process, where a mutant can be seen. */
export default defineConfig({
  test: {
    include: [
      'src/{access,appraisal,verifiers}/**/*.test.ts',
      'test/negative-matrix-*.test.ts',
      'test/{misconfigurations,properties}.test.ts',
      'test/vectors-{event-logs,snp,snp-certificates,tdx,tdx-collateral,tdx-quotes}.test.ts',
      'test/wycheproof-signatures.test.ts',
      'test/{snp,tdx}-bit-flips.test.ts',
    ],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
