import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts', 'clients/**/*.test.ts', 'examples/**/*.test.ts'],
    exclude: ['test/gates/planted/**', 'node_modules/**'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts', 'clients/*/src/**/*.ts'],
      exclude: ['**/*.test.ts'],
      // What decides is tested to the last line; what runs in child processes (main, processes) is not seen by the instrument.
      thresholds: {
        lines: 85,
        branches: 85,
        'src/verifiers/**/*.ts': { lines: 100, branches: 95 },
        'clients/*/src/**/*.ts': { lines: 100, branches: 95 },
      },
    },
  },
})
