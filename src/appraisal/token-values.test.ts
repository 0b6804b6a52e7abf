import { describe, expect, it } from 'vitest'
import { soundSgx, soundTdx } from '../../test/intel-judged.ts'
import { soundClaims } from '../../test/snp-claims.ts'
import type { Claims } from '../verifiers/verifier.ts'
import { pinsOf, renderName } from './token-names.ts'

const [a, b] = ['ab'.repeat(8), 'cd'.repeat(8)]

const snp = (members: Partial<typeof soundClaims>): Claims => ({ snp: { ...soundClaims, ...members } })
const tdx = (members: Partial<typeof soundTdx>): Claims => ({ tdx: { ...soundTdx, ...members } })
const sgx = (members: Partial<typeof soundSgx>): Claims => ({ sgx: { ...soundSgx, ...members } })

/** What a name may hold, evidence in which only this has the value, the value, and the list that pins it. */
const ROWS: readonly (readonly [source: string, claims: Claims, value: string, pin: string | undefined])[] = [
  ['snp.measurement', snp({ measurement: a }), a, 'snp.measurements'],
  ['snp.host_data', snp({ host_data: a }), a, 'snp.host_data'],
  ['snp.family_id', snp({ family_id: a }), a, 'snp.family_id'],
  ['snp.image_id', snp({ image_id: a }), a, 'snp.image_id'],
  ['snp.id_key_digest', snp({ id_key_digest: a }), a, 'snp.trusted_id_key_digests'],
  ['snp.author_key_digest', snp({ author_key_digest: a }), a, 'snp.trusted_author_key_digests'],
  ['snp.report_id', snp({ report_id: a }), a, undefined],
  ['snp.chip_id', snp({ chip_id: b, vek: { ...soundClaims.vek, hwid: a } }), a, undefined],
  ['snp.product', snp({ product: 'Genoa' }), 'Genoa', undefined],
  ['tdx.mr_td', tdx({ mr_td: a }), a, 'tdx.mr_td'],
  ['tdx.rtmr0', tdx({ rtmr0: a }), a, 'tdx.rtmr0'],
  ['tdx.rtmr1', tdx({ rtmr1: a }), a, 'tdx.rtmr1'],
  ['tdx.rtmr2', tdx({ rtmr2: a }), a, 'tdx.rtmr2'],
  ['tdx.rtmr3', tdx({ rtmr3: a }), a, 'tdx.rtmr3'],
  ['tdx.mr_config_id', tdx({ mr_config_id: a }), a, 'tdx.mr_config_id'],
  ['tdx.mr_owner', tdx({ mr_owner: a }), a, 'tdx.mr_owner'],
  ['tdx.mr_owner_config', tdx({ mr_owner_config: a }), a, 'tdx.mr_owner_config'],
  ['tdx.platform.fmspc', tdx({ platform: { ...soundTdx.platform, fmspc: a } }), a, undefined],
  ['tdx.platform.ppid', tdx({ platform: { ...soundTdx.platform, ppid: a } }), a, undefined],
  ['sgx.mr_enclave', sgx({ mr_enclave: a }), a, 'sgx.mr_enclave'],
  ['sgx.mr_signer', sgx({ mr_signer: a }), a, 'sgx.mr_signer'],
  ['sgx.isv_prod_id', sgx({ isv_prod_id: 0 }), '0', 'sgx.isv_prod_id'],
  ['sgx.platform.fmspc', sgx({ platform: { ...soundSgx.platform, fmspc: a } }), a, undefined],
  ['sgx.platform.ppid', sgx({ platform: { ...soundSgx.platform, ppid: a } }), a, undefined],
]

const named = (report_id: string): string | undefined => renderName('x-{snp.report_id}', snp({ report_id }))

describe.each(ROWS)('%s in a name', (source, claims, ...[value, pin]) => {
  it('is the signed value', () => expect(renderName(`x-{${source}}`, claims)).toBe(`x-${value}`))
  it('is nothing where the evidence is of another kind', () => expect(renderName(`x-{${source}}`, {})).toBeUndefined())
  it('needs its list where guest or host choose it', () => expect(pinsOf(`x-{${source}}`)).toEqual(pin === undefined ? [] : [pin]))
})

describe('names', () => {
  it('put every value in its own place', () => {
    const claims = { ...snp({ report_id: a, host_data: b }), ...sgx({ isv_prod_id: 7 }) }
    expect(renderName('{snp.report_id}/{sgx.isv_prod_id}/{snp.host_data}/{snp.report_id}', claims)).toBe(`${a}/7/${b}/${a}`)
    expect(pinsOf('{snp.host_data}/{sgx.isv_prod_id}')).toEqual(['snp.host_data', 'sgx.isv_prod_id'])
  })

  it('are as long as 128 characters, and no longer', () => {
    expect(renderName(`${'a'.repeat(112)}{snp.report_id}`, snp({ report_id: a }))).toHaveLength(128)
    expect(renderName(`${'a'.repeat(113)}{snp.report_id}`, snp({ report_id: a }))).toBeUndefined()
    expect(pinsOf('a'.repeat(128))).toEqual([])
    expect(pinsOf('a'.repeat(129))).toMatch(/^expected at most 128 letters/)
  })

  it('hold no value with a character of their own syntax, wherever it stands', () => {
    expect([named(':a'), named('a:'), named('a/b'), named(''), named('a b')]).toEqual(Array.from({ length: 5 }, () => undefined))
    expect(named('A.b_c-9')).toBe('x-A.b_c-9')
  })

  it('are reserved from their first letter on only', () => {
    expect(pinsOf('x-system:y')).toEqual([])
    expect(pinsOf('x-urn:assay:y')).toEqual([])
    expect(renderName('x-system:{snp.report_id}', snp({ report_id: a }))).toBe(`x-system:${a}`)
  })

  it('tell which values there are when one is unknown', () => {
    expect(pinsOf('{snp.vmpl}')).toMatch(/^`\{snp\.vmpl\}` is no value that a name may hold; these are: snp\.measurement, snp\.host_data, /)
  })
})
