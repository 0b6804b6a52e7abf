import { describe, expect, it } from 'vitest'
import { checksOf, genuineQuote, judgedUnder, soundSgx, soundTdx } from '../../test/intel-judged.ts'
import { genuine, soundClaims, vlekClaims } from '../../test/snp-claims.ts'
import { readPolicy } from './read-policy.ts'
import { renderName } from './token-names.ts'
import { checksForReader } from './visibility.ts'

const snp = { measurements: [soundClaims.measurement] }
const read = (members: object) => () => readPolicy(JSON.stringify({ name: 'edge', ...members }), 'edge.json')
const claims = { snp: { ...soundClaims, host_data: '5a'.repeat(32) } }

describe('names that a policy gives its tokens', () => {
  it('hold text and signed values', () => {
    expect(renderName('node-{snp.report_id}', claims)).toBe(`node-${'cc'.repeat(32)}`)
    expect(renderName('spiffe://cluster/{snp.product}/{snp.host_data}', claims)).toBe(`spiffe://cluster/Milan/${'5a'.repeat(32)}`)
    expect(renderName('sgx.{sgx.isv_prod_id}', { sgx: soundSgx })).toBe('sgx.7')
    expect(renderName('fleet', {})).toBe('fleet')
  })

  it.each([
    ['of another technology', '{tdx.mr_td}', claims],
    ['that is zero', '{snp.family_id}', claims],
    ['that a certificate does not hold', '{snp.chip_id}', { snp: vlekClaims }],
    ['that does not exist', '{snp.constructor}', claims],
    ['that would name a prototype', '{__proto__}', claims],
  ])('cannot be formed with a value %s', (_, template, given) => expect(renderName(`x-${template}`, given)).toBeUndefined())

  it('cannot be formed into what others rely on, whatever the values', () => {
    expect(renderName('system:{snp.product}', claims)).toBeUndefined()
    expect(renderName('URN:assay:{snp.product}', claims)).toBeUndefined()
    expect(renderName('{snp.product}:x', { snp: { ...soundClaims, product: 'system' as 'Milan' } })).toBeUndefined()
    expect(renderName('{snp.product}', { snp: { ...soundClaims, product: 'a:b' as 'Milan' } })).toBeUndefined()
    expect(renderName(`${'a'.repeat(100)}{snp.report_id}`, claims)).toBeUndefined()
  })
})

describe('templates in a document', () => {
  it.each([
    { token: { subject: 'node-{snp.report_id}' } },
    { token: { subject: 'td/{tdx.platform.ppid}', groups: ['a', 'b', 'c', '{snp.chip_id}'] } },
    { token: { subject: '{snp.measurement}' }, snp },
    { token: { groups: ['{sgx.mr_signer}.{sgx.isv_prod_id}'] }, sgx: { mr_signer: ['ab'.repeat(32)], isv_prod_id: [1] } },
    { token: { groups: ['{snp.id_key_digest}'] }, snp: { trusted_id_key_digests: ['ab'.repeat(48)] } },
  ])('%o is taken', (members) => expect(read(members)().document.token).toMatchObject(members.token))

  it.each([
    [{ token: { subject: '' } }, /token\.subject: expected at most/],
    [{ token: { subject: 'a b' } }, /token\.subject: expected at most/],
    [{ token: { subject: 'a{snp.report_id' } }, /token\.subject: expected at most/],
    [{ token: { subject: 'a'.repeat(129) } }, /token\.subject: expected at most/],
    [{ token: { subject: 'system:node' } }, /`system:`/],
    [{ token: { subject: 'Urn:Assay:{snp.report_id}' } }, /`urn:assay:`/],
    [{ token: { subject: '{snp.report_data}' } }, /no value that a name may hold/],
    [{ token: { subject: '{__proto__}' } }, /no value that a name may hold/],
    [{ token: { subject: '{}' } }, /no value that a name may hold/],
    [{ token: { groups: [] } }, /token\.groups: an empty list/],
    [{ token: { groups: ['a', 'a'] } }, /token\.groups: the list holds an entry twice/],
    [{ token: { groups: ['a', 'b', 'c', 'd', 'e'] } }, /at most 4 groups/],
    [{ token: { subject: '{snp.measurement}' } }, /needs snp\.measurements as a list/],
    [{ token: { subject: '{snp.measurement}' }, snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY' } }, /needs snp\.measurements as a list/],
    [{ token: { subject: '{snp.host_data}' }, snp }, /needs snp\.host_data as a list/],
    [{ token: { subject: '{snp.host_data}' }, snp: { host_data: ['ab'.repeat(32)] }, warn: ['snp.host_data'] }, /needs snp\.host_data/],
    [
      { token: { groups: ['{snp.id_key_digest}'] }, snp: { trusted_id_key_digests: ['ab'.repeat(48)], id_key_enforcement: 'warn' } },
      /token\.groups\[0\]: needs snp\.trusted_id_key_digests/,
    ],
    [{ token: { groups: ['{tdx.mr_td}-{tdx.rtmr1}'] }, tdx: { mr_td: [soundTdx.mr_td] } }, /needs tdx\.rtmr1/],
  ])('%o is refused', (members, message) => expect(read(members)).toThrow(message))
})

describe('evidence without the values of a name', () => {
  it('is refused, because its token would be about nobody', () => {
    const members = { snp, tdx: { mr_td: [soundTdx.mr_td] }, token: { subject: '{snp.report_id}' } }
    expect(judgedUnder(members, genuine(soundClaims)).code).toBeUndefined()
    const judgement = judgedUnder(members, genuineQuote({ tdx: soundTdx }))
    expect(judgement.code).toBe('token-name-unavailable')
    const check = checksOf(judgement).find(({ id }) => id === 'NAMES')
    expect(check).toMatchObject({ actual: 'all but 1', expected: '{snp.report_id}', rule: 'token' })
    expect(check).toHaveProperty('remedy', expect.stringMatching(/^not \{snp\.report_id\}: /))
  })

  it('is refused without telling strangers how the operator names things', () => {
    const members = { tdx: { mr_td: [soundTdx.mr_td] }, token: { groups: ['payments-{snp.report_id}'] } }
    const checks = checksOf(judgedUnder(members, genuineQuote({ tdx: soundTdx })))
    expect(JSON.stringify(checks)).toContain('payments')
    expect(JSON.stringify(checksForReader(checks, { reader: 'anonymous', explain: 'minimal' }))).not.toContain('payments')
  })
})
