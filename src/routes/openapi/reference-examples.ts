import { evidence } from './policy-examples.ts'

const SHA256 = '7d'.repeat(32)
const OLDER = '2b'.repeat(32)

const SET = {
  name: 'nodes',
  owner: 'Platform team',
  provenance: { by: 'release pipeline', from: 'node image 4711', at: '2026-05-01T09:00:00.000Z' },
  snp: { measurements: [{ value: 'a1'.repeat(48), label: '4 vCPUs' }] },
}

/** The same as YAML. */
export const SET_YAML = `name: nodes
owner: Platform team
provenance: { by: release pipeline, from: node image 4711, at: 2026-05-01T09:00:00Z }
snp:
  measurements:
    - { value: ${'a1'.repeat(48)}, label: 4 vCPUs }
`

/** Bodies of PUT /v1/reference-values/{name}. */
export const SET_DOCUMENTS = { set: { summary: 'A set with one launch digest', value: SET } }

/** Bodies of POST /v1/reference-values/{name}/activations. */
export const SET_ACTIVATION_REQUESTS = {
  activate: { summary: 'Version 2 gives values from now on, beside others', value: { version: 2, state: 'active', expected_counter: 1 } },
  deprecate: {
    summary: 'Version 1 gives values until a time',
    value: { version: 1, state: 'deprecated', until: '2026-12-31T00:00:00.000Z' },
  },
  revoke: { summary: 'Version 1 never gives values again', value: { version: 1, state: 'revoked', reason: 'leaked build' } },
}

/** Bodies of POST /v1/reference-values/{name}/dry-runs. */
export const SET_DRY_RUN_REQUESTS = {
  draft: { summary: 'A draft', value: { evidence, draft: SET_YAML } },
  revoke: { summary: 'What a revocation would do', value: { evidence, version: 1, as: 'revoked', policies: ['strict-eu'] } },
}

const CHECK = { id: 'SNP-63', title: 'MEASUREMENT is on the policy’s list' }

const ENTRY = {
  name: SET.name,
  managed_by: 'store',
  in_force: [{ version: 1, sha256: OLDER }],
  counter: 1,
  latest: { version: 2, sha256: SHA256 },
}

const VERSION = {
  version: 2,
  sha256: SHA256,
  author: 'ann',
  created: '2026-11-24T12:00:00.000Z',
  standing: { state: 'draft' },
  why_not: 'draft',
}

/** One answer of each operation on reference values. */
export const SET_ANSWERS = {
  list: { reference_values: [ENTRY] },
  view: { ...ENTRY, text: SET_YAML },
  entry: { ...ENTRY, in_force: [...ENTRY.in_force, ENTRY.latest], counter: 2 },
  versions: {
    name: SET.name,
    versions: [{ ...VERSION, version: 1, sha256: OLDER, standing: { state: 'active' }, why_not: null }, VERSION],
  },
  version: { ...VERSION, text: SET_YAML },
  dryRun: {
    tried: { version: 0, sha256: SHA256 },
    policies: [
      {
        policy: { name: 'strict-eu', version: 2, sha256: OLDER },
        active: { accepted: false, code: 'snp-measurement-mismatch', status: 'contraindicated' },
        tried: { accepted: true, code: null, status: 'affirming' },
        changes: [
          {
            ...CHECK,
            active: { ...CHECK, outcome: 'fail', code: 'snp-measurement-mismatch', actual: 'a1'.repeat(48) },
            tried: { ...CHECK, outcome: 'pass', actual: 'a1'.repeat(48) },
          },
        ],
      },
    ],
    omitted: [],
  },
}
