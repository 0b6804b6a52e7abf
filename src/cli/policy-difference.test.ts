import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { AppraisalPolicy } from '../appraisal/policy.ts'
import { policyDocument } from '../appraisal/policy.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import { changesBetween, isWeaker } from './policy-difference.ts'
import { OPTIONS } from './policy-options.ts'

const [a48, b48, c48] = ['a1'.repeat(48), 'b2'.repeat(48), 'c3'.repeat(48)]
const OPEN = { snp: { measurements: [a48] }, tdx: { mr_td: [a48] }, sgx: { mr_enclave: ['a1'.repeat(32)] } }

type Members = Readonly<Record<string, unknown>>

/** A policy that judges evidence of every technology, with this option. */
function policy(path: string, value: unknown): AppraisalPolicy {
  const document = written({ name: 'p', ...OPEN }, path.split('.'), value)
  return readPolicy(JSON.stringify(document), 'test').document
}

/** The members with this one in place of what was there; undefined leaves it out, and members that then hold nothing. */
function written(members: Members, [first = '', ...rest]: readonly string[], value: unknown): Members {
  const { [first]: inner = {}, ...others } = members
  const now = rest.length === 0 ? value : written(inner as Members, rest, value)
  const isNothing = now === undefined || (rest.length > 0 && Object.keys(now as Members).length === 0)
  return isNothing ? others : { ...others, [first]: now }
}

const direction = (path: string, before: unknown, after: unknown) =>
  changesBetween(policy(path, before), policy(path, after)).find((change) => change.path === path)?.direction

/** Option, the weaker value and the stricter one. */
const ORDERS: readonly (readonly [path: string, weaker: unknown, stricter: unknown])[] = [
  ['key_binding', 'DANGEROUSLY_OPTIONAL', 'required'],
  ['relying_party_nonce', 'allow', 'refuse'],
  ['issue_on', 'warning', 'affirming'],
  ['token.lifetime_seconds', 900, 60],
  ['warn', ['snp.vmpl'], undefined],
  ['warn', ['snp.vmpl', 'snp.host_data'], ['snp.vmpl']],
  ['evidence', ['snp', 'tdx'], ['snp']],
  ['snp.measurements', 'DANGEROUSLY_ACCEPT_ANY', [a48]],
  ['snp.measurements', [a48, b48], [b48]],
  ['snp.measurements', [a48, { set: 'nodes' }], [a48]],
  ['snp.min_report_version', 2, 5],
  ['snp.max_report_version', 5, 3],
  ['snp.guest_policy.min_abi', undefined, '1.50'],
  ['snp.guest_policy.min_abi', '1.9', '1.50'],
  ['snp.guest_policy.min_abi', '1.50', '2.0'],
  ['snp.guest_policy.smt', 'allow', 'deny'],
  ['snp.guest_policy.debug', 'DANGEROUSLY_ALLOW', 'deny'],
  ['snp.guest_policy.single_socket', 'any', 'require'],
  ['snp.host_data', undefined, ['00'.repeat(32)]],
  ['snp.min_guest_svn', 3, 20],
  ['snp.permit_provisional_firmware', true, false],
  ['snp.require_id_block', false, true],
  ['snp.id_key_enforcement', 'warn', 'enforce'],
  ['snp.platform_info.smt', 'any', 'forbid'],
  ['snp.vmpl', [0, 1], [0]],
  ['snp.min_launch_mit_vector', undefined, '0x1'],
  ['snp.min_launch_mit_vector', '0x1', '0x3'],
  ['snp.denied_hwids', undefined, ['a1'.repeat(64)]],
  ['snp.masked_chip_id', 'allow', 'refuse'],
  ['snp.advisories.amd-sb-3019', 'report', 'warn'],
  ['snp.advisories.amd-sb-3019', 'warn', 'refuse'],
  ['snp.crl.mode', 'prefer', 'require'],
  ['snp.crl.mode', 'DANGEROUSLY_OFF', 'prefer'],
  ['snp.crl.grace_seconds', 10, 0],
  ['snp.min_tcb.reported', undefined, { milan: { snp: 1 } }],
  ['snp.min_tcb.reported', { milan: { snp: 1 } }, { milan: { snp: 2 } }],
  ['snp.min_tcb.reported', { milan: { snp: 1 } }, { milan: { snp: 1, tee: 0 } }],
  ['snp.min_tcb.reported', { milan: { snp: 1 }, genoa: { snp: 1 } }, { milan: { snp: 1 } }],
  ['snp.min_tcb.reported', { milan: 'any' }, { milan: { snp: 1 } }],
  ['tdx.mr_service_td', [a48], undefined],
  ['tdx.accepted_tcb_statuses', ['UpToDate', 'OutOfDate'], ['UpToDate']],
  ['tdx.accepted_advisories', undefined, ['INTEL-SA-00837']],
  ['tdx.accepted_advisories', ['INTEL-SA-00837', 'INTEL-SA-01036'], ['INTEL-SA-00837']],
  ['tdx.denied_advisories', ['INTEL-SA-00837'], ['INTEL-SA-00837', 'INTEL-SA-01036']],
  ['tdx.min_tcb_date', '2024-11-13', '2025-08-13'],
  ['tdx.min_tcb_date', '2025-07-13', '2025-08-01'],
  ['tdx.collateral_grace_seconds', 3600, 60],
  ['tdx.initdata', 'any', 'bound-if-sent'],
  ['tdx.initdata', 'bound-if-sent', 'require'],
  ['tdx.td_attributes.sept_ve_disable', 'any', 'azure-paravisor'],
  ['tdx.td_attributes.sept_ve_disable', 'azure-paravisor', 'require'],
  ['tdx.xfam.allowed', '0x7', '0x3'],
  ['tdx.xfam.required', '0x3', '0x7'],
  ['tdx.min_tee_tcb_svn', '01'.repeat(16), '02'.repeat(16)],
  ['tdx.tee_tcb_svn2_regression', 'warn', 'refuse'],
  ['tdx.platform.min_sgx_type', 'Standard', 'Scalable'],
  ['tdx.platform.min_sgx_type', 'Scalable', 'ScalableWithIntegrity'],
  ['tdx.event_log.replayed_rtmrs', [0], [0, 1]],
  ['tdx.event_log.secure_boot', 'any', 'require'],
  ['sgx.debug', 'DANGEROUSLY_ALLOW', 'deny'],
]

describe('the difference of two policies', () => {
  it.each(ORDERS)('%s: from %j to %j is stricter, and back is weaker', (path, weaker, stricter) => {
    expect(direction(path, weaker, stricter)).toBe('stricter')
    expect(direction(path, stricter, weaker)).toBe('weaker')
  })

  it.each<readonly [path: string, before: unknown, after: unknown]>([
    ['snp.measurements', [a48, b48], [a48, c48]],
    ['snp.platform_info.smt', 'require', 'forbid'],
    ['snp.min_launch_mit_vector', '0x1', '0x2'],
    ['snp.min_tcb.reported', { milan: { snp: 1, tee: 2 } }, { milan: { snp: 2, tee: 1 } }],
    ['snp.min_tcb.reported', { milan: { snp: 1 } }, { genoa: { snp: 1 } }],
    ['snp.min_tcb.reported', { milan: 'any' }, { milan: 'any', cpuid: { '19_11': { snp: 2 } } }],
    ['tdx.min_tee_tcb_svn', `0102${'00'.repeat(14)}`, `0201${'00'.repeat(14)}`],
  ])('%s: from %j to %j accepts other evidence', (path, before, after) => {
    const [old, young] = [policy(path, before), policy(path, after)]
    for (const changes of [changesBetween(old, young), changesBetween(young, old)]) {
      expect(changes).toMatchObject([{ path, direction: 'both' }])
      expect(isWeaker(changes)).toBe(true)
    }
  })

  it('is nothing where only the order of lists or members differs, or a default is written out', () => {
    expect(changesBetween(policy('snp.vmpl', [0, 1]), policy('snp.vmpl', [1, 0]))).toEqual([])
    expect(changesBetween(policy('snp.vmpl', undefined), policy('snp.vmpl', [0]))).toEqual([])
    const [one, other] = [{ milan: { snp: 1, tee: 1 } }, { milan: { tee: 1, snp: 1 } }]
    expect(changesBetween(policy('snp.min_tcb.reported', one), policy('snp.min_tcb.reported', other))).toEqual([])
  })

  it('of names and explanations has no effect', () => {
    expect(direction('name', 'a', 'b')).toBe('neither')
    expect(direction('explain', 'minimal', 'full')).toBe('neither')
    expect(isWeaker(changesBetween(policy('name', 'a'), policy('name', 'b')))).toBe(false)
  })

  it.each([
    ['snp', 'snp.measurements', [a48], 'snp.vmpl', [0, 1]],
    ['tdx', 'tdx.mr_td', [a48], 'tdx.initdata', 'any'],
    ['sgx', 'sgx.mr_enclave', ['a1'.repeat(32)], 'sgx.min_isv_svn', 3],
  ])('of %s: whatever is written is weaker than to refuse everything', (...[technology, identity, value, path, other]) => {
    const closed = policy(identity, undefined)
    const open = { ...policy(identity, value), [technology]: policy(path, other)[technology as 'snp'] }
    const changes = changesBetween(closed, open)
    expect(changes.map(({ path: at, direction: way }) => [at, way])).toEqual([
      [technology, 'weaker'],
      ...[identity, path].toSorted(byDocument).map((at) => [at, 'weaker']),
    ])
    expect(isWeaker(changes)).toBe(true)
    expect(changesBetween(open, closed).every(({ direction: way }) => way === 'stricter')).toBe(true)
  })

  it('has no effect where both refuse everything', () => {
    const [one, other] = [0, 1].map((vmpl) => readPolicy(JSON.stringify({ name: 'p', snp: { vmpl: [vmpl] } }), 'test').document)
    if (one === undefined || other === undefined) throw new Error('no policy')
    expect(changesBetween(one, other)).toMatchObject([{ path: 'snp.vmpl', direction: 'neither' }])
  })
})

const byDocument = (a: string, b: string): number => PATHS.indexOf(a) - PATHS.indexOf(b)
const PATHS = OPTIONS.map(([path]) => path)

/** Minima of one TCB are one option. */
const minima = (path: string) => path.replace(/^(snp\.min_tcb\.\w+)\..*/, '$1')

/** Paths of members that hold a value rather than members. */
function leaves(schema: Members, path = ''): readonly string[] {
  const forms = (schema['anyOf'] ?? [schema]) as readonly Members[]
  const properties = forms.flatMap((form) => Object.entries((form['properties'] ?? {}) as Readonly<Record<string, Members>>))
  if (properties.length === 0) return [path]
  return properties.flatMap(([name, member]) => leaves(member, path === '' ? name : `${path}.${name}`))
}

describe('the table of options', () => {
  it('has every option of the document, once', () => {
    const schema = z.toJSONSchema(policyDocument, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Members
    expect(new Set(leaves(schema).map(minima))).toEqual(new Set(PATHS))
    expect(new Set(PATHS).size).toBe(PATHS.length)
  })
})
