import { array, assert, constant, dictionary, jsonValue, oneof, property, record, string, tuple, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { base64Length } from '../base64.ts'
import { readStrictJson } from './gate.ts'
import { plainRequest } from './plain-request.ts'
import { appraisalRequest } from './requests.ts'

const text = (bytes: number): string => Buffer.alloc(bytes, 7).toString('base64')
const snp = { type: 'snp', report: text(1184) }
const usual = { evidence: [snp], nonce: text(32) }

const read = (value: unknown) => plainRequest(readStrictJson(Buffer.from(JSON.stringify(value))))

describe('a request of a plain form', () => {
  it.each<[string, object]>([
    ['a report', usual],
    ['a quote', { ...usual, evidence: [{ type: 'tdx', quote: text(5000) }] }],
    ['what configfs-tsm gives', { ...usual, evidence: [{ type: 'tsm', provider: 'sev_guest', outblob: text(1184) }] }],
    ['the same of a TD', { ...usual, evidence: [{ type: 'tsm', provider: 'tdx_guest', outblob: text(5000) }] }],
    ['names', { ...usual, audience: 'cluster', policy: 'strict' }],
    ['a bound key', { ...usual, cnf_jwk: { kty: 'EC', x: 1, deep: { er: [] } }, cnf_proof: text(70) }],
    ['members of an item in another order', { nonce: text(32), evidence: [{ report: text(1184), type: 'snp' }] }],
    ['an empty report', { ...usual, evidence: [{ type: 'snp', report: '' }] }],
    ['the longest of all', { ...usual, evidence: [{ type: 'snp', report: text(16 * 1024) }], audience: 'a'.repeat(255) }],
  ])('with %s is read as the schema reads it', (_, value) => {
    const plain = read(value)
    expect(plain).toEqual(appraisalRequest.parse(value))
    // The digest of the evidence follows the order of members.
    expect(JSON.stringify(plain?.evidence)).toBe(JSON.stringify(appraisalRequest.parse(value).evidence))
  })

  it.each<[string, unknown]>([
    ['another member', { ...usual, binding: 'hash' }],
    ['two items', { ...usual, evidence: [snp, snp] }],
    ['no item', { ...usual, evidence: [] }],
    ['a member of the item that is not plain', { ...usual, evidence: [{ ...snp, certificates: [] }] }],
    ['an unknown member of the item', { ...usual, evidence: [{ ...snp, x: null }] }],
    ['another type', { ...usual, evidence: [{ type: 'sgx', quote: text(5000) }] }],
    ['a name of every object as type', { ...usual, evidence: [{ type: 'constructor', report: text(1184) }] }],
    ['a provider of neither kind', { ...usual, evidence: [{ type: 'tsm', provider: 'x', outblob: text(1184) }] }],
    ['a report that is not canonical', { ...usual, evidence: [{ type: 'snp', report: 'AB==' }] }],
    ['a report beyond the limit', { ...usual, evidence: [{ type: 'snp', report: text(16 * 1024 + 3) }] }],
    ['no nonce', { evidence: [snp] }],
    ['a nonce beyond the limit', { ...usual, nonce: 'A'.repeat(base64Length(1024) + 4) }],
    ['an empty audience', { ...usual, audience: '' }],
    ['an audience beyond the limit', { ...usual, audience: 'a'.repeat(256) }],
    ['a policy that is no text', { ...usual, policy: 1 }],
    ['a key without proof', { ...usual, cnf_jwk: {} }],
    ['a proof without key', { ...usual, cnf_proof: text(70) }],
    ['a key that is a list', { ...usual, cnf_jwk: [], cnf_proof: text(70) }],
    ['null', null],
    ['a list', [usual]],
  ])('is none with %s', (_, value) => {
    expect(read(value)).toBeUndefined()
  })

  it('is nothing that the schema refuses, and the same as the schema makes of it', () => {
    let plain = 0
    assert(
      property(request, (value) => {
        const document: unknown = JSON.parse(JSON.stringify(value))
        const found = plainRequest(document)
        if (found === undefined) return
        plain += 1
        expect(found).toEqual(appraisalRequest.parse(document))
      }),
      { seed: 20261124, numRuns: 3000 },
    )
    // A property that never met what it is about would hold of anything.
    expect(plain).toBeGreaterThan(500)
  })
})

const base64 = (encoding: 'base64' | 'base64url') =>
  uint8Array({ maxLength: 40 }).map((value): unknown => Buffer.from(value).toString(encoding))
const bytes = oneof({ weight: 30, arbitrary: base64('base64') }, base64('base64url'), string(), jsonValue())

/** Values that are right most of the time, so that whole requests are. */
const mostly = (right: unknown) => oneof({ weight: 30, arbitrary: constant(right) }, jsonValue())
const item = oneof(
  record({ type: mostly('snp'), report: bytes }),
  record({ type: mostly('tdx'), quote: bytes }),
  record({ type: mostly('tsm'), provider: mostly('tdx_guest'), outblob: bytes }),
  record({ type: mostly('snp'), report: bytes, certificates: constant([]) }),
)
const names = record({ audience: mostly('a'), policy: mostly('p') }, { requiredKeys: [] })
const key = oneof(
  constant({}),
  record({ cnf_jwk: oneof({ weight: 9, arbitrary: dictionary(string(), jsonValue()) }, jsonValue()), cnf_proof: bytes }),
)
const rest = oneof({ weight: 9, arbitrary: constant({}) }, dictionary(string(), jsonValue()), constant({ binding: 'hash' }))
const evidence = oneof({ weight: 30, arbitrary: array(item, { minLength: 1, maxLength: 1 }) }, array(item), jsonValue())
const request = tuple(record({ evidence, nonce: bytes }), names, key, rest).map((parts): object => Object.assign({}, ...parts) as object)
