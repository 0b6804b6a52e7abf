import { describe, expect, it } from 'vitest'
import { hexOf, itemWith } from '../../../test/appraisals.ts'
import { platform, sgxItem, tdxClaims, tdxItem, upToDate } from '../../../test/intel-claims.ts'
import { boot, secureBoot, tpmItem } from '../../../test/tpm-claims.ts'
import type { ItemAppraisal } from '../../../src/appraisal/appraisal.ts'
import { TOKEN_PROFILES } from '../../../src/access/audiences.ts'
import { ACCEPT, changed, claimsOf, minted, outcome, policy, refusal, resigned, verify } from '../test/lab.ts'
import type { Accept } from './accept.ts'

const { sha256 } = policy.reference
const other = hexOf(0xaa, 32)

/** The token that the service gives for this evidence, under conditions. */
const judged = (items: readonly ItemAppraisal[], accept: Partial<Accept> | object): Promise<string> =>
  outcome(verify(minted({ appraisal: { evidence: items } }).token, { accept: { ...ACCEPT, ...accept } }))
const snp = itemWith({ revocation: 'checked' })
const tpm: ItemAppraisal = { ...tpmItem(), label: 'tpm0' }

describe('policies', () => {
  it.each([
    ['by its content', [{ sha256 }], 'accepted'],
    ['by content and name', [{ sha256, name: 'eu' }], 'accepted'],
    ['by its name alone', [{ DANGEROUSLY_BY_NAME: 'eu' }], 'accepted'],
    ['among others', [{ sha256: other }, { sha256 }], 'accepted'],
    ['of another content', [{ sha256: other }], 'policy-not-accepted'],
    ['of another name', [{ sha256, name: 'us' }], 'policy-not-accepted'],
    ['of another name alone', [{ DANGEROUSLY_BY_NAME: 'us' }], 'policy-not-accepted'],
    ['none at all', [], 'policy-not-accepted'],
    ['any', 'DANGEROUSLY_ANY_POLICY', 'accepted'],
  ] as const)('%s: %j: %s', async (_, policies, code) => {
    expect(await judged([itemWith()], { policies })).toBe(code)
  })

  it('must be those of every item', async () => {
    const { token } = minted({ appraisal: { evidence: [snp, tpm] } })
    const { submods } = claimsOf(token) as { submods: { tpm0: object } }
    const split = await changed({ submods: { ...submods, tpm0: { ...submods.tpm0, policy: { name: 'x', version: 1, sha256: other } } } })
    const error = await refusal(verify(split))
    expect([error.code, error.status, error.facts['actual']]).toEqual([
      'policy-not-accepted',
      403,
      { name: 'x', version: 1, sha256: other },
    ])
  })
})

describe('verdicts', () => {
  it('other than affirming are taken by name', async () => {
    const { cpu0 } = claimsOf(minted().token)['submods'] as { cpu0: object }
    const warned = await changed({ submods: { cpu0: { ...cpu0, status: 'warning' } } })
    expect((await refusal(verify(warned))).facts).toEqual({ actual: ['warning'], accepted: ['affirming'] })
    expect(await outcome(verify(warned, { accept: { ...ACCEPT, status: ['affirming', 'warning'] } }))).toBe('accepted')
    for (const status of ['none', 'contraindicated'])
      expect(await outcome(changed({ submods: { cpu0: { ...cpu0, status } } }).then((one) => verify(one)))).toBe('status-not-accepted')
  })

  it('of weakened policies are taken by the name of the weakening', async () => {
    expect(await judged([itemWith()], { weakenings: [] })).toBe('weakening-not-accepted')
    expect(await judged([itemWith()], { weakenings: undefined })).toBe('options-invalid')
    expect(await judged([itemWith()], { weakenings: ['key_binding: DANGEROUSLY_OPTIONAL', 'another'] })).toBe('accepted')
  })

  it('in which a failure was tolerated are taken by its code', async () => {
    const [pass] = snp.checks
    const warned = {
      ...snp,
      checks: [
        ...(pass === undefined ? [] : [pass]),
        { id: 'SNP-36', title: 'Lists', outcome: 'warn', code: 'snp-crl-unavailable' } as const,
      ],
    }
    expect(await judged([warned], {})).toBe('tolerated-not-accepted')
    expect(await judged([warned], { tolerated: ['another'] })).toBe('tolerated-not-accepted')
    expect(await judged([warned], { tolerated: ['snp-crl-unavailable'] })).toBe('accepted')
  })
})

describe('hardware', () => {
  it.each([
    ['SNP', [snp], {}, 'accepted'],
    ['SNP, named', [snp], { hardware: ['snp'] }, 'accepted'],
    ['SNP, where TDX is wanted', [snp], { hardware: ['tdx'] }, 'hardware-not-accepted'],
    ['TDX', [tdxItem()], {}, 'accepted'],
    ['SGX', [sgxItem()], {}, 'accepted'],
    ['a TPM alone', [tpm], {}, 'hardware-not-accepted'],
    ['a TPM alone, wanted', [tpm], { hardware: ['none'], tpm: { ak_trust: ['ek-activation'] } }, 'accepted'],
    ['nothing', [snp], { hardware: [] }, 'hardware-not-accepted'],
  ] as const)('%s', async (...[, items, accept, code]) => {
    expect(await judged(items, accept)).toBe(code)
  })

  it('is not believed without its evidence', async () => {
    const error = await refusal(changed({ tcb: { hw: 'tdx', vtpm: 'none' } }).then((one) => verify(one)))
    expect([error.code, error.facts]).toEqual(['hardware-not-accepted', { actual: 'no evidence', hardware: 'tdx' }])
  })
})

describe('debugging', () => {
  it('is refused, and so is silence', async () => {
    const debugged = itemWith({ policy: { ...snp.claims.snp?.policy, debug_allowed: true } as never })
    const { token } = minted({ appraisal: { evidence: [debugged] } })
    const error = await refusal(verify(token))
    expect([error.code, error.facts]).toEqual(['debug-not-accepted', { actual: 'enabled' }])
    expect(await judged([debugged], { debug: 'DANGEROUSLY_ACCEPT_DEBUG' })).toBe('accepted')
    expect(await outcome(changed({ dbgstat: undefined }).then((one) => verify(one)))).toBe('debug-not-accepted')
  })
})

const tcb = (parts: object) => tdxItem({ tcb: { ...upToDate, ...parts } })
const milan = { bootloader: 10, tee: 100, snp: 123, microcode: 219 }
const expired = tdxItem({ collateral: { ...tdxClaims.collateral, collateral_expired: true } })

describe('conditions', () => {
  it.each<readonly [string, ItemAppraisal, object, string]>([
    ['revocation lists must have been asked', itemWith(), { snp: {} }, 'claim-not-accepted'],
    ['or that must be said', itemWith(), { snp: { revocation: ['not-checked'] } }, 'accepted'],
    ['a measurement', snp, { snp: { measurement: [hexOf(0, 48), hexOf(0x3e, 48)] } }, 'accepted'],
    ['another', snp, { snp: { measurement: [hexOf(0, 48)] } }, 'claim-not-accepted'],
    ['in other letters', snp, { snp: { measurement: [hexOf(0x3e, 48).toUpperCase()] } }, 'claim-not-accepted'],
    ['none', snp, { snp: { measurement: [] } }, 'claim-not-accepted'],
    [
      'what is absent',
      itemWith({ revocation: 'checked', id_key_digest: hexOf(0, 48) }),
      { snp: { id_key_digest: [hexOf(0, 48)] } },
      'claim-not-accepted',
    ],
    ['a VMPL', snp, { snp: { vmpl: [0, 3] } }, 'accepted'],
    ['another VMPL', snp, { snp: { vmpl: [0] } }, 'claim-not-accepted'],
    ['the least version', snp, { snp: { version: 5, guest_svn: 1 } }, 'accepted'],
    ['a later version', snp, { snp: { version: 6 } }, 'claim-not-accepted'],
    ['the product', snp, { snp: { product: ['Genoa'], signing_key: ['vcek'] } }, 'accepted'],
    ['another product', snp, { snp: { product: ['Milan', 'Turin'] } }, 'claim-not-accepted'],
    ['the least TCB', snp, { snp: { reported_tcb: { Genoa: milan } } }, 'accepted'],
    ['part of it', snp, { snp: { reported_tcb: { Genoa: { snp: 1 } } } }, 'accepted'],
    ['more of one part', snp, { snp: { reported_tcb: { Genoa: { ...milan, microcode: 220 } } } }, 'claim-not-accepted'],
    ['the TCB of another product', snp, { snp: { reported_tcb: { Milan: milan } } }, 'claim-not-accepted'],
    ['no minima', snp, { snp: { reported_tcb: { Genoa: {} } } }, 'claim-not-accepted'],
    ['the advisories that apply', snp, { snp: { advisories: ['amd-milan-vcek-seed-extraction'] } }, 'accepted'],
    ['no advisories', snp, { snp: { advisories: [] } }, 'claim-not-accepted'],
    ['no advisories where none applies', { ...snp, advisories: [] }, { snp: { advisories: [] } }, 'accepted'],
    [
      'MRTD and registers',
      tdxItem(),
      { tdx: { mr_td: [hexOf(0x3d, 48)], rtmr0: [hexOf(0xe0, 48)], rtmr3: [hexOf(0xe3, 48)] } },
      'accepted',
    ],
    ['another register', tdxItem(), { tdx: { rtmr2: [hexOf(0xe3, 48)] } }, 'claim-not-accepted'],
    ['conditions of other hardware', tdxItem(), { snp: { measurement: [] }, sgx: { mr_enclave: [] } }, 'accepted'],
    ['a TCB that lacks something', tcb({ status: 'SWHardeningNeeded' }), {}, 'claim-not-accepted'],
    ['the same by name', tcb({ status: 'SWHardeningNeeded' }), { tdx: { 'tcb.status': ['UpToDate', 'SWHardeningNeeded'] } }, 'accepted'],
    ['any TCB but the best', tcb({}), { tdx: { 'tcb.status': ['SWHardeningNeeded'] } }, 'claim-not-accepted'],
    ['its date', tcb({}), { tdx: { 'tcb.tcb_date': '2025-08-13T00:00:00Z' } }, 'accepted'],
    ['a day later', tcb({}), { tdx: { 'tcb.tcb_date': '2025-08-14' } }, 'claim-not-accepted'],
    ['its number', tcb({}), { tdx: { 'tcb.tcb_evaluation_data_number': 19 } }, 'accepted'],
    ['a later number', tcb({}), { tdx: { 'tcb.tcb_evaluation_data_number': 20 } }, 'claim-not-accepted'],
    ['advisories of Intel', tcb({ advisory_ids: ['INTEL-SA-1'] }), { tdx: { 'tcb.advisory_ids': [] } }, 'claim-not-accepted'],
    ['what early documents say', tcb({}), { tdx: { 'tcb.early_status': ['UpToDate'] } }, 'accepted'],
    ['what they do not say', tcb({ early_status: null }), { tdx: { 'tcb.early_status': ['UpToDate'] } }, 'claim-not-accepted'],
    ['expired documents', expired, {}, 'claim-not-accepted'],
    ['expired documents, refused by name', expired, { tdx: { collateral_expired: 'refuse' } }, 'claim-not-accepted'],
    ['expired documents, accepted', expired, { tdx: { collateral_expired: 'DANGEROUSLY_ACCEPT' } }, 'accepted'],
    ['documents in time, whatever is accepted', tdxItem(), { tdx: { collateral_expired: 'DANGEROUSLY_ACCEPT' } }, 'accepted'],
    ['a service TD', tdxItem(), { tdx: { mr_service_td: [hexOf(0x57, 48)] } }, 'accepted'],
    ['another service TD', tdxItem(), { tdx: { mr_service_td: [hexOf(0x58, 48)] } }, 'claim-not-accepted'],
    ['no service TD where there is one', tdxItem(), { tdx: { mr_service_td: 'absent' } }, 'claim-not-accepted'],
    ['no service TD where there is none', tdxItem({ mr_service_td: null }), { tdx: { mr_service_td: 'absent' } }, 'accepted'],
    [
      'a service TD where there is none',
      tdxItem({ mr_service_td: null }),
      { tdx: { mr_service_td: [hexOf(0x57, 48)] } },
      'claim-not-accepted',
    ],
    [
      'the platform',
      tdxItem({ event_log: null }),
      { tdx: { 'platform.fmspc': ['90c06f000000'], 'platform.smt_enabled': 'true' } },
      'accepted',
    ],
    ['another platform', tdxItem({ event_log: null }), { tdx: { 'platform.smt_enabled': 'false' } }, 'claim-not-accepted'],
    [
      'a switch that is not known',
      tdxItem({ platform: { ...platform, smt_enabled: null } }),
      { tdx: { 'platform.smt_enabled': 'false' } },
      'claim-not-accepted',
    ],
    ['an enclave', sgxItem(), { sgx: { isv_svn: 0, mr_enclave: ['x'] } }, 'claim-not-accepted'],
  ])('%s', async (...[, item, accept, code]) => {
    expect(await judged([item], accept)).toBe(code)
  })

  const withTpm = { hardware: ['snp', 'none'], tpm: { ak_trust: ['ek-activation'] } }
  it.each<readonly [string, readonly ItemAppraisal[], object, string]>([
    ['of a TPM that is there', [snp, tpm], withTpm, 'accepted'],
    ['of a TPM that is not', [snp], withTpm, 'claim-not-accepted'],
    ['how it is trusted', [tpm], { ...withTpm, tpm: { ak_trust: ['ak-cert'] } }, 'claim-not-accepted'],
    ['who enrolled it', [tpm], { ...withTpm, tpm: { ...withTpm.tpm, enrolment_basis: ['listed'] } }, 'accepted'],
    ['Secure Boot', [tpm], { ...withTpm, tpm: { ...withTpm.tpm, 'boot.secure_boot': 'true' } }, 'accepted'],
    [
      'Secure Boot off',
      [{ ...tpm, ...tpmItem({ boot: { ...boot, secure_boot: { ...secureBoot, enabled: false } } }), label: 'tpm0' }],
      { ...withTpm, tpm: { ...withTpm.tpm, 'boot.secure_boot': 'true' } },
      'claim-not-accepted',
    ],
    [
      'Secure Boot unknown',
      [{ ...tpmItem({ boot: null }), label: 'tpm0' }],
      { ...withTpm, tpm: { ...withTpm.tpm, 'boot.secure_boot': 'false' } },
      'claim-not-accepted',
    ],
    ['a register', [tpm], { ...withTpm, tpm: { ...withTpm.tpm, pcrs: { 7: [tpm.claims.tpm?.pcrs['7'] ?? 'none', 'x'] } } }, 'accepted'],
    [
      'one of two registers',
      [tpm],
      { ...withTpm, tpm: { ...withTpm.tpm, pcrs: { 7: [tpm.claims.tpm?.pcrs['7'] ?? 'none'], 4: ['x'] } } },
      'claim-not-accepted',
    ],
    ['another value', [tpm], { ...withTpm, tpm: { ...withTpm.tpm, pcrs: { 7: ['x'] } } }, 'claim-not-accepted'],
    ['a register that is not told', [tpm], { ...withTpm, tpm: { ...withTpm.tpm, pcrs: { 23: ['x'] } } }, 'claim-not-accepted'],
    [
      'every item of its kind',
      [snp, { ...itemWith({ revocation: 'checked', vmpl: 1 }), label: 'cpu1' }],
      { snp: { vmpl: [3] } },
      'claim-not-accepted',
    ],
  ])('%s', async (...[, items, accept, code]) => {
    expect(await judged(items, accept)).toBe(code)
  })

  it('are named where they are not met', async () => {
    const error = await refusal(verify(minted().token, { accept: { ...ACCEPT, snp: { ...ACCEPT.snp, vmpl: [0] } } }))
    expect(error).toMatchObject({ code: 'claim-not-accepted', status: 403, facts: { claim: 'snp.vmpl', actual: 3, wanted: [0] } })
    const absent = await refusal(verify(minted().token, { accept: { ...ACCEPT, tpm: {} } }))
    expect(absent.facts).toEqual({ claim: 'tpm', actual: undefined })
  })

  it.each(TOKEN_PROFILES)('mean the same in profile %s', async (profile) => {
    const { token } = minted({ profile, appraisal: { evidence: [snp] } })
    const under = (conditions: Partial<Accept>): Promise<string> =>
      outcome(verify(token, { accept: { ...ACCEPT, profiles: [profile], ...conditions } }))
    expect(await under({ snp: { measurement: [hexOf(0x3e, 48)] } })).toBe('accepted')
    expect(await under({ snp: { measurement: [hexOf(0x3f, 48)] } })).toBe('claim-not-accepted')
    expect(await under({ weakenings: [] })).toBe('weakening-not-accepted')
    expect(await under({ policies: [{ sha256: other }] })).toBe('policy-not-accepted')
    expect(await under({ hardware: ['tdx'] })).toBe('hardware-not-accepted')
  })
})

describe('evidence of the EAR profiles', () => {
  it.each(['ear', 'ear-veraison'] as const)('is refused where %s does not have it so', async (profile) => {
    const claims = claimsOf(minted({ profile }).token)
    const { cpu0 } = claims['submods'] as { cpu0: Record<string, unknown> }
    for (const name of Object.keys(cpu0).filter((one) => !/policy.id/.test(one))) {
      const token = await resigned({ ...claims, submods: { cpu0: { ...cpu0, [name]: 1 } } }, { typ: 'eat+jwt' })
      const error = await refusal(verify(token, { accept: { ...ACCEPT, profiles: [profile] } }))
      expect([name, error.code, error.facts]).toEqual([name, 'claims-malformed', { claim: 'submods.cpu0' }])
    }
    const none = await resigned({ ...claims, submods: {} }, { typ: 'eat+jwt' })
    expect((await refusal(verify(none, { accept: { ...ACCEPT, profiles: [profile] } }))).facts).toEqual({ claim: 'submods' })
  })
})

describe('the tag of profile ear', () => {
  it('is that of a draft, which the option names', async () => {
    const { token } = minted({ profile: 'ear' })
    const accept = { ...ACCEPT, profiles: ['ear'] } as const
    expect(await outcome(verify(token, { accept }))).toBe('accepted')
    expect(await outcome(verify(token, { accept: { ...accept, earProfile: 'tag:ietf.org,2027:rats/ear#04' } }))).toBe(
      'profile-not-accepted',
    )
    expect(await outcome(verify(token, { accept: { ...accept, profiles: ['ear-veraison'] } }))).toBe('profile-not-accepted')
    expect(await outcome(verify(token, { accept: { ...accept, profiles: ['lean', 'ear-veraison', 'ear'] } }))).toBe('accepted')
  })

  it('belongs to its type', async () => {
    const lean = await changed({}, { typ: 'eat+jwt' })
    expect(await outcome(verify(lean, { accept: { ...ACCEPT, profiles: ['lean', 'ear'] } }))).toBe('type-not-allowed')
  })
})

describe('what could never be asked', () => {
  it.each<readonly [string, unknown]>([
    ['accept', 'all'],
    ['accept', []],
    ['accept.policies', {}],
    ['accept.policies', { policies: 'any' }],
    ['accept.policies', { policies: [{}] }],
    ['accept.policies', { policies: ['eu'] }],
    ['accept.policies', { policies: [{ name: 'eu' }] }],
    ['accept.policies', { policies: [{ sha256: 'AA' }] }],
    ['accept.policies', { policies: [{ sha256: other.toUpperCase() }] }],
    ['accept.policies', { policies: [{ sha256: `${sha256}0` }] }],
    ['accept.policies', { policies: [{ sha256: `0${sha256}` }] }],
    ['accept.policies', { policies: [{ sha256, name: '' }] }],
    ['accept.policies', { policies: [{ sha256, version: 1 }] }],
    ['accept.policies', { policies: [{ sha256, DANGEROUSLY_BY_NAME: 'eu' }] }],
    ['accept.policies', { policies: [{ DANGEROUSLY_BY_NAME: '' }] }],
    ['accept.measurements', { ...ACCEPT, measurements: [] }],
    ['accept.constructor', { ...ACCEPT, constructor: 1 }],
    ['accept.profiles', { ...ACCEPT, profiles: ['eat'] }],
    ['accept.earProfile', { ...ACCEPT, earProfile: '' }],
    ['accept.demo', { ...ACCEPT, demo: true }],
    ['accept.status', { ...ACCEPT, status: ['contraindicated'] }],
    ['accept.hardware', { ...ACCEPT, hardware: 'snp' }],
    ['accept.freshness', { ...ACCEPT, freshness: ['none'] }],
    ['accept.weakenings', { ...ACCEPT, weakenings: 'all' }],
    ['accept.tolerated', { ...ACCEPT, tolerated: [''] }],
    ['accept.debug', { ...ACCEPT, debug: true }],
    ['accept.snp', { ...ACCEPT, snp: [] }],
    ['accept.snp.measurment', { ...ACCEPT, snp: { measurment: [] } }],
    ['accept.snp.toString', { ...ACCEPT, snp: { toString: ['x'] } }],
    ['accept.snp.measurement', { ...ACCEPT, snp: { measurement: 'x' } }],
    ['accept.snp.measurement', { ...ACCEPT, snp: { measurement: undefined } }],
    ['accept.snp.measurement', { ...ACCEPT, snp: { measurement: [''] } }],
    ['accept.snp.vmpl', { ...ACCEPT, snp: { vmpl: 0 } }],
    ['accept.snp.version', { ...ACCEPT, snp: { version: [5] } }],
    ['accept.snp.version', { ...ACCEPT, snp: { version: -1 } }],
    ['accept.snp.reported_tcb', { ...ACCEPT, snp: { reported_tcb: { Milan: { snp: '8' } } } }],
    ['accept.tdx.tcb', { ...ACCEPT, tdx: { tcb: { status: ['UpToDate'] } } }],
    ['accept.tdx.tcb.tcb_date', { ...ACCEPT, tdx: { 'tcb.tcb_date': 'yesterday' } }],
    ['accept.tdx.tcb.tcb_date', { ...ACCEPT, tdx: { 'tcb.tcb_date': 2025 } }],
    ['accept.tdx.mr_service_td', { ...ACCEPT, tdx: { mr_service_td: 'none' } }],
    ['accept.tdx.collateral_expired', { ...ACCEPT, tdx: { collateral_expired: true } }],
    ['accept.tpm.boot.secure_boot', { ...ACCEPT, tpm: { 'boot.secure_boot': true } }],
    ['accept.tpm.pcrs', { ...ACCEPT, tpm: { pcrs: { 7: 'x' } } }],
    ['accept.tpm.pcrs', { ...ACCEPT, tpm: { pcrs: { 4: ['x'], 7: 'x' } } }],
    ['accept.tpm.ak_trust', { ...ACCEPT, hardware: ['none'] }],
    ['accept.tpm.ak_trust', { ...ACCEPT, hardware: ['none'], tpm: { bank: ['sha256'] } }],
  ])('%s: %j', async (option, accept) => {
    const error = await refusal(verify(minted().token, { accept: accept as never }))
    expect([error.code, error.facts['option']]).toEqual(['options-invalid', option])
  })
})

describe('an accept object', () => {
  it('is read once, and frozen, so that no later change is lost unnoticed', async () => {
    const accept = { ...ACCEPT, snp: { revocation: ['checked', 'not-checked'], measurement: [hexOf(0x3e, 48)] } } satisfies Accept
    expect(await outcome(verify(minted().token, { accept }))).toBe('accepted')
    expect(() => Object.assign(accept, { demo: 'refuse' })).toThrow(TypeError)
    expect(() => accept.snp.measurement.push('x')).toThrow(TypeError)
    expect(await outcome(verify(minted().token, { accept }))).toBe('accepted')
    expect(await outcome(verify(minted().token, { accept: { ...accept, hardware: ['tdx'] } }))).toBe('hardware-not-accepted')
  })
})
