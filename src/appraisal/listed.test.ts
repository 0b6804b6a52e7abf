import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx } from '../../test/intel-judged.ts'
import { genuine, soundClaims } from '../../test/snp-claims.ts'
import { entryText, isListed, type Listed } from './listed.ts'
import { readPolicy } from './read-policy.ts'
import { REFERENCE_PLACES, setsNamedBy, withReferenceLists } from './reference-lists.ts'

const many: Listed = [...Array.from({ length: 1000 }, (_, at) => `v${at}`), { set: 'v1000' }]

describe('lists', () => {
  it.each([['short', many.slice(0, 3)] as const, ['long', many] as const])('that are %s hold their values, and no others', (_, list) => {
    expect(isListed(list, 'v0')).toBe(true)
    expect(isListed(list, 'v2')).toBe(true)
    expect(isListed(list, 'v1000')).toBe(false)
    expect(isListed(list, '')).toBe(false)
  })

  it('hold nothing for a set whose values nobody has put there', () => {
    expect(isListed([{ set: 'nodes' }], 'nodes')).toBe(false)
    expect([entryText({ set: 'nodes' }), entryText({ set: 'nodes', state: 'revoked: leaked' })]).toEqual([
      'values of the set nodes (unknown)',
      'values of the set nodes (revoked: leaked)',
    ])
  })
})

const set = [{ set: 'nodes' }]
const written = {
  snp: { measurements: set },
  tdx: { mr_td: set, rtmr0: set, rtmr1: set, rtmr2: set, rtmr3: set, mr_seam: set },
  sgx: { mr_enclave: set, mr_signer: set },
}

describe('sets of reference values in a policy', () => {
  it('may be named in these places, and are found there', () => {
    const { document } = readPolicy(JSON.stringify({ name: 'a', ...written }), 'a')
    expect(setsNamedBy(document)).toEqual(REFERENCE_PLACES.map((place) => ({ set: 'nodes', place })))
  })

  it.each([
    ['snp', genuine(soundClaims), 'snp-measurement-mismatch'],
    ['tdx', genuineQuote({ tdx: soundTdx }), 'tdx-mrtd-not-allowed'],
    ['sgx', genuineQuote({ sgx: soundSgx }), 'sgx-mrenclave-not-allowed'],
  ] as const)('accept no evidence of %s without their values, and say why', (_, finding, code) => {
    const judgement = judgedUnder(written, finding)
    expect(judgement.code).toBe(code)
    expect(checksOf(judgement).find((check) => check.outcome === 'fail' && check.code === code)?.expected).toBe(
      'values of the set nodes (unknown)',
    )
  })

  it('are replaced list by list, and nothing else is', () => {
    const { document } = readPolicy(JSON.stringify({ name: 'a', ...written, snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY' } }), 'a')
    const replaced = withReferenceLists(document, (_, place) => [place])
    expect(replaced.snp).toEqual(document.snp)
    expect([replaced.tdx.mr_td, replaced.tdx.rtmr3, replaced.sgx.mr_signer]).toEqual([['tdx.mr_td'], ['tdx.rtmr3'], ['sgx.mr_signer']])
    expect(withReferenceLists(document, (list) => list)).toEqual(document)
  })

  it.each([[{ set: '' }], [{ set: 'nodes', state: 'active' }], [{}], [5], [['nodes']]])('%j names none', (entry) => {
    expect(() => readPolicy(JSON.stringify({ name: 'a', snp: { measurements: [entry] } }), 'a')).toThrow(/snp\.measurements\[0\]/)
  })
})
