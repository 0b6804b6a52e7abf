import { ANSWERS, INSPECTION_REQUESTS } from './examples.ts'

const SHA256 = '9f'.repeat(32)
const OLDER = '3c'.repeat(32)

const POLICY = { name: 'strict-eu', snp: { measurements: ['a1'.repeat(48)] } }

/** The same as YAML. */
export const POLICY_YAML = `name: ${POLICY.name}\nsnp:\n  measurements:\n    - ${POLICY.snp.measurements.join('')}\n`

/** Bodies of PUT /v1/policies/{name}. */
export const POLICY_DOCUMENTS = { policy: { summary: 'A policy with one measurement', value: POLICY } }

/** Bodies of POST /v1/policies/{name}/activations. */
export const ACTIVATION_REQUESTS = {
  activate: { summary: 'Version 2 judges from now on', value: { version: 2, expected_counter: 1 } },
  roll_back: { summary: 'Version 1 judges again', value: { version: 1 } },
  shadow: { summary: 'Version 3 is tried beside the active one', value: { version: 3, as: 'shadow' } },
  end_shadow: { summary: 'Nothing is tried any more', value: { version: null, as: 'shadow' } },
  revoke: { summary: 'Version 1 never counts again', value: { version: 1, as: 'revoked', reason: 'leaked build' } },
}

/** Evidence of dry-runs. The report is shortened. */
export const { evidence } = INSPECTION_REQUESTS.report.value

/** Bodies of POST /v1/policies/{name}/dry-runs. */
export const DRY_RUN_REQUESTS = {
  draft: { summary: 'A draft', value: { evidence, draft: POLICY_YAML } },
  version: { summary: 'A version that is kept', value: { evidence, version: 3, key_bound: true } },
}

const ENTRY = {
  name: POLICY.name,
  managed_by: 'store',
  active: { name: POLICY.name, version: 1, sha256: OLDER },
  shadow: null,
  counter: 1,
  latest: { version: 2, sha256: SHA256 },
  weakenings: [],
}

const VERSION = { version: 2, sha256: SHA256, author: 'ann', created: '2026-11-24T12:00:00.000Z', state: 'draft' }

const { appraisal } = ANSWERS.appraisal

/** One answer of each operation on policies. */
export const POLICY_ANSWERS = {
  list: { policies: [ENTRY] },
  view: { ...ENTRY, text: POLICY_YAML },
  entry: { ...ENTRY, active: { name: POLICY.name, version: 2, sha256: SHA256 }, counter: 2 },
  versions: {
    name: POLICY.name,
    versions: [{ ...VERSION, version: 1, sha256: OLDER, state: 'active' }, VERSION],
  },
  version: { ...VERSION, text: POLICY_YAML },
  dryRun: { tried: { accepted: true, code: null, appraisal }, active: null, changes: [] },
}
