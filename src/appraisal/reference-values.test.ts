import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { DESCRIBED, digestOf, documentOf, setText } from '../../test/reference-sets.ts'
import { contentDigest } from './canonical.ts'
import { PolicyError, readPolicy } from './read-policy.ts'
import { measurementsOf, readReferenceFile, readReferenceSet, valuesAt } from './reference-values.ts'

const problems = (document: object | string): readonly string[] => {
  try {
    readReferenceSet(typeof document === 'string' ? document : JSON.stringify(document), 'nodes.yaml')
    return []
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ path, message }) => `${path}: ${message}`)
    throw error
  }
}

const described = (members: object): object => ({ name: 'nodes', ...DESCRIBED, ...members })
const [d48, d32, zero48, zero32] = [digestOf(0), digestOf(0, 32), '00'.repeat(48), '00'.repeat(32)]

const ALL = {
  description: 'Nodes of cluster a',
  valid: { from: '2026-01-01T00:00:00Z', until: '2027-01-01T01:00:00+01:00' },
  snp: { measurements: [d48, { value: digestOf(1), label: 'kernel 6.12.4, 4 vCPUs' }] },
  tdx: { mr_td: [d48], rtmr0: [d48], rtmr1: [d48], rtmr2: [zero48], rtmr3: [zero48], mr_seam: [d48] },
  sgx: { mr_enclave: [d32], mr_signer: [d32] },
  tpm: { pcrs: { sha256: { 4: [d32], 15: [zero32] }, sha384: { 23: [d48] }, sha512: { 0: [digestOf(0, 64)] } } },
  warn_only: ['tpm.pcrs.sha256.4'],
}

describe('a set of reference values', () => {
  it('has values of every technology, with or without labels', () => {
    const { document, sha256 } = readReferenceSet(JSON.stringify(described(ALL)), 'nodes.yaml')
    expect([...measurementsOf(document)].map(([path, entries]) => `${path} ${entries.length}`)).toEqual([
      'snp.measurements 2',
      'tdx.mr_td 1',
      'tdx.rtmr0 1',
      'tdx.rtmr1 1',
      'tdx.rtmr2 1',
      'tdx.rtmr3 1',
      'tdx.mr_seam 1',
      'sgx.mr_enclave 1',
      'sgx.mr_signer 1',
      'tpm.pcrs.sha256.4 1',
      'tpm.pcrs.sha256.15 1',
      'tpm.pcrs.sha384.23 1',
      'tpm.pcrs.sha512.0 1',
    ])
    expect(valuesAt(document, 'snp.measurements')).toEqual([d48, digestOf(1)])
    expect(valuesAt(document, 'sgx.mr_signer')).toEqual([d32])
    expect(sha256).toBe(contentDigest(document))
    expect(Object.isFrozen(document.snp?.measurements)).toBe(true)
  })

  it('gives no value for a measurement that it does not have', () => {
    expect(valuesAt(documentOf(setText([0])), 'tdx.mr_td')).toEqual([])
  })

  it('keeps times in UTC, so that one time has one digest', () => {
    const [a, b] = ['2027-01-01T01:00:00+01:00', '2027-01-01T00:00:00Z'].map((until) => setText([0], { valid: { until } }))
    expect(readReferenceSet(a ?? '', 'a')).toEqual(readReferenceSet(b ?? '', 'b'))
  })

  it('is read from YAML as from JSON', () => {
    const yaml = `
name: nodes
owner: Platform team
provenance: {by: release pipeline, from: image build 4711, at: 2026-01-01T00:00:00Z}
snp:
  measurements:
    - ${digestOf(0)}
`
    expect(readReferenceSet(yaml, 'a')).toEqual(readReferenceSet(setText([0]), 'a'))
  })

  it.each([
    ['nobody answers for', { name: 'nodes', provenance: DESCRIBED.provenance, snp: { measurements: [d48] } }, 'owner: '],
    ['came from nowhere', { name: 'nodes', owner: 'a', snp: { measurements: [d48] } }, 'provenance: '],
    ['has no value', described({}), ': the set has no value'],
    ['has an empty technology', described({ snp: {} }), ': the set has no value'],
    ['has an empty list', described({ snp: { measurements: [] } }), 'snp.measurements: an empty list'],
    ['has an unknown measurement', described({ tdx: { rtmr4: [d48] } }), 'tdx.rtmr4: unknown member'],
    ['has an unknown technology', described({ sev: { measurements: [d48] } }), 'sev: unknown member'],
    ['has an unknown PCR', described({ tpm: { pcrs: { sha256: { 24: [d32] } } } }), 'tpm.pcrs.sha256.24: expected the number of a PCR'],
    [
      'has a PCR with a zero in front',
      described({ tpm: { pcrs: { sha256: { '01': [d32] } } } }),
      'tpm.pcrs.sha256.01: expected the number',
    ],
    ['has an unknown bank', described({ tpm: { pcrs: { sha1: { 0: ['aa'.repeat(20)] } } } }), 'tpm.pcrs.sha1: unknown member'],
    [
      'has a digest of another length',
      described({ snp: { measurements: [d32] } }),
      'snp.measurements[0]: expected lower-case hex of 48 bytes',
    ],
    ['has upper-case hex', described({ snp: { measurements: ['AB'.repeat(48)] } }), 'snp.measurements[0]: expected lower-case hex'],
    ['has a launch digest of zeros', described({ snp: { measurements: [zero48] } }), 'snp.measurements[0]: all zeros'],
    ['has a placeholder', described({ snp: { measurements: ['deadbeef'.repeat(12)] } }), 'snp.measurements[0]: this is a placeholder'],
    ['has a register of ones', described({ tdx: { rtmr3: ['ff'.repeat(48)] } }), 'tdx.rtmr3[0]: this is a placeholder'],
    ['has an MRTD of zeros', described({ tdx: { mr_td: [zero48] } }), 'tdx.mr_td[0]: all zeros'],
    ['has a number as a value', described({ snp: { measurements: [1] } }), 'snp.measurements[0]: expected'],
    [
      'has a value twice',
      described({ snp: { measurements: [d48, { value: d48, label: 'again' }] } }),
      'snp.measurements: the list holds a value twice',
    ],
    ['is never valid', described({ ...ALL, valid: { from: ALL.valid.until, until: ALL.valid.from } }), 'valid.until: must be after from'],
    ['has a day that does not exist', described({ ...ALL, valid: { until: '2026-02-30T00:00:00Z' } }), 'valid.until: expected a time'],
    ['has a time without a zone', described({ ...ALL, valid: { until: '2026-02-01T00:00:00' } }), 'valid.until: expected a time'],
    ['warns about what it does not have', described({ ...ALL, warn_only: ['tpm.pcrs.sha256.5'] }), 'warn_only: names a measurement'],
    ['says how it stands', described({ ...ALL, state: 'active' }), 'state: unknown member'],
    ['has a prototype', `{"name": "nodes", "__proto__": {}}`, '__proto__: unknown member'],
    ['has a name for a path', described({ ...ALL, name: '../nodes' }), 'name: expected a name'],
  ])('refuses one that %s', (_, document, problem) => {
    expect(problems(document)).toContainEqual(expect.stringContaining(problem))
    expect(problems(document).some((text) => text.startsWith(problem.slice(0, problem.indexOf(':') + 1)))).toBe(true)
  })

  it('takes 10,000 values, and not one more, in one list or in several', () => {
    const numbers = Array.from({ length: 10_000 }, (_, at) => at)
    expect(problems(setText(numbers))).toEqual([])
    expect(problems(setText([...numbers, 10_000]))).toContainEqual(expect.stringMatching(/^snp\.measurements: more than 10000 values/))
    expect(problems(setText(numbers, { tdx: { mr_td: [d48] } }))).toContainEqual(expect.stringMatching(/^: more than 10000 values/))
  })

  it('refuses 100,000 values with one sentence', () => {
    expect(problems(setText(Array.from({ length: 100_000 }, (_, at) => at)))).toEqual([expect.stringContaining('longer than')])
  })
})

const readFile = (members: object) => readReferenceFile(setText([0], members), 'nodes.yaml')

describe('a file of a set', () => {
  it('says which version it is and how that stands, neither of which is its content', () => {
    const until = '2026-07-01T00:00:00Z'
    expect(readFile({ version: 3, standing: { state: 'deprecated', until } })).toEqual({
      ...readReferenceSet(setText([0]), 'a'),
      version: 3,
      standing: { state: 'deprecated', until: '2026-07-01T00:00:00.000Z' },
    })
  })

  it('is a draft until it says otherwise', () => {
    expect(readFile({})).toMatchObject({ version: 1, standing: { state: 'draft' } })
  })

  it.each([
    [{ version: 0 }, 'version'],
    [{ version: '1' }, 'version'],
    [{ standing: 'active' }, 'standing'],
    [{ standing: { state: 'revoked' } }, 'standing.reason'],
    [{ standing: { state: 'trusted' } }, 'standing.state'],
    [{ standing: { state: 'active', until: '2026-07-01T00:00:00Z' } }, 'standing.until'],
    [{ warn_only: ['tdx.mr_td'] }, 'warn_only'],
  ])('is refused with %o', (members, path) => {
    expect(() => readFile(members)).toThrow(
      new RegExp(`^nodes\\.yaml: the set of reference values cannot be used\\n {2}nodes\\.yaml(?::1)? ${path}: `),
    )
  })
})

describe('docs/reference-values.md', () => {
  it('shows a set that can be used', () => {
    const page = readFileSync(resolve(import.meta.dirname, '../../docs/reference-values.md'), 'utf8')
    const [, policy, set] = page.split('```yaml\n').map((part) => part.slice(0, part.indexOf('```')))
    expect(readReferenceFile(set ?? '', 'docs')).toMatchObject({ version: 7, standing: { state: 'active' }, document: { name: 'nodes' } })
    expect(readPolicy(policy ?? '', 'docs').document.snp.measurements).toEqual([{ set: 'nodes' }])
  })
})
