/** One gate: a command that fails when a rule of the house is broken. Run in the folder of the project, or of a planted violation. */
export type Gate = { readonly name: string; readonly command: readonly [program: string, ...args: string[]] }

const node = (script: string): readonly [string, ...string[]] => ['node', `scripts/${script}`]

/** Every gate, in the order in which they fail fastest. */
export const GATES = [
  { name: 'format', command: ['prettier', '--check', '.'] },
  { name: 'lint', command: ['oxlint', '--type-aware', '--deny-warnings', '--report-unused-disable-directives'] },
  { name: 'types', command: ['tsc', '-p', '.'] },
  // k6 brings globals of its own, which the service must not see.
  { name: 'load-test types', command: ['tsc', '-p', 'load-tests'] },
  { name: 'dead-weight', command: ['knip'] },
  { name: 'documentation', command: node('check-documentation.ts') },
  { name: 'purity', command: node('check-purity.ts') },
  { name: 'dependencies', command: node('check-dependencies.ts') },
  { name: 'shell', command: node('check-shell.ts') },
  { name: 'contract', command: ['redocly', 'lint', 'openapi.yaml'] },
  { name: 'tests', command: ['vitest', 'run', '--coverage'] },
] as const satisfies readonly Gate[]
