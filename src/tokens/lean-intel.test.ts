import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { appraisalUnder, hexOf } from '../../test/appraisals.ts'
import { eventLog, platform, sgxClaims, sgxItem, tdxClaims, tdxItem, upToDate } from '../../test/intel-claims.ts'
import { readCnfJwk, type CnfKey } from '../access/cnf.ts'
import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import { createTokenIssuer } from './issuer.ts'
import { fixedTokenKeys } from './key-ring.ts'
import { temporaryTokenKey } from './keys.ts'

const subject = createSecretKey(randomBytes(32))
const policy = readPolicy(JSON.stringify({ name: 'eu' }), 'test')
const longest = readPolicy(
  JSON.stringify({
    name: 'p'.repeat(64),
    issue_on: 'warning',
    key_binding: 'DANGEROUSLY_OPTIONAL',
    snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY' },
  }),
  'test',
)
const ec: CnfKey = readCnfJwk({
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
})
const rsa = readCnfJwk({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(512, 0xc1).toString('base64url') })

type Given = { readonly item: ItemAppraisal; readonly cnf?: CnfKey; readonly names?: 'longest' }

function tokenFor({ item, cnf, names }: Given): string {
  const [under, issuer, name] =
    names === undefined
      ? ([policy, 'https://attest.example', 'https://rp.example'] as const)
      : ([longest, `https://${'i'.repeat(92)}`, 'a'.repeat(200)] as const)
  const service = createTokenIssuer({
    tokenKeys: fixedTokenKeys([temporaryTokenKey('ES256')]),
    keys: { subject },
    issuer,
    mode: 'production',
    now: () => new Date('2026-11-24T08:00:00Z'),
  })
  const audience = { name, policies: [under.reference.name], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const appraisal = appraisalUnder(under.reference, { evidence: [item] })
  return service.issue({ appraisal, policy: under, audience, nonce: new Uint8Array(names === undefined ? 32 : 64).fill(255), cnf }).token
}

type Payload = JWTPayload & {
  readonly submods: { readonly cpu0: { readonly assay: Readonly<Record<string, Record<string, unknown>>> } }
}

const claimsOf = (given: Given): Payload =>
  JSON.parse(Buffer.from(tokenFor(given).split('.')[1] ?? '', 'base64url').toString('utf8')) as Payload
const tdxOf = (given: Given) => claimsOf(given).submods.cpu0.assay['tdx'] ?? {}
const sgxOf = (given: Given) => claimsOf(given).submods.cpu0.assay['sgx'] ?? {}

const unowned = { mr_owner: hexOf(0, 48), mr_owner_config: hexOf(0, 48), mr_service_td: hexOf(0, 48) }
/** A guest as clouds start them, with the log of its boot. */
const usual = tdxItem({
  ...unowned,
  body_type: 'td-report-1.0',
  tee_tcb_svn2: null,
  mr_service_td: null,
  event_log: { ...eventLog, dstack: null },
})

describe('the token of a TDX guest', () => {
  it('says what was launched, what it measured, and in which state the platform is', () => {
    const claims = claimsOf({ item: usual, cnf: ec })
    expect(claims).toMatchObject({ tcb: { hw: 'tdx', vtpm: 'none' }, dbgstat: 'disabled-since-boot', hwmodel: 'Intel-TDX' })
    expect(claims.submods.cpu0.assay).toEqual({
      tdx: {
        quote_version: 5,
        body_type: 'td-report-1.0',
        tee_tcb_svn: tdxClaims.tee_tcb_svn,
        mr_seam: tdxClaims.mr_seam,
        mr_td: tdxClaims.mr_td,
        rtmr0: tdxClaims.rtmr0,
        rtmr1: tdxClaims.rtmr1,
        rtmr2: tdxClaims.rtmr2,
        rtmr3: tdxClaims.rtmr3,
        mr_config_id: tdxClaims.mr_config_id,
        initdata: { binding: 'sha384' },
        td_attributes: {
          value: tdxClaims.td_attributes.value,
          debug: false,
          sept_ve_disable: true,
          migratable: false,
          perfmon: false,
        },
        xfam: { value: tdxClaims.xfam.value },
        tcb: {
          status: 'UpToDate',
          early_status: 'UpToDate',
          tcb_date: upToDate.tcb_date,
          tcb_evaluation_data_number: 19,
          platform: 'UpToDate',
          module: 'UpToDate',
          qe: 'UpToDate',
          advisory_ids: [],
        },
        platform: {
          fmspc: platform.fmspc,
          pceid: platform.pceid,
          sgx_type: 'ScalableWithIntegrity',
          smt_enabled: true,
          dynamic_platform: true,
          cached_keys: true,
        },
        event_log: { source: 'ccel+dstack', replayed: [0, 1, 2, 3], facts: { secure_boot: true } },
      },
    })
  })

  it('names neither machine nor guest', () => {
    const secret = [
      platform.ppid,
      platform.platform_instance_id,
      tdxClaims.qe.qe_id,
      tdxClaims.td_id,
      eventLog.dstack?.instance_id,
      tdxClaims.report_data,
    ]
    const texts = [usual, tdxItem(), tdxItem({ ...unowned, mr_config_id: hexOf(0, 48) })].map((item) => JSON.stringify(claimsOf({ item })))
    expect(secret.filter((text) => text === undefined || text === null || texts.some((each) => each.includes(text)))).toEqual([])
  })

  it('tells both evaluations, and all that the log says, where there is room', () => {
    const item = tdxItem({
      ...unowned,
      mr_config_id: hexOf(0, 48),
      tcb: { ...upToDate, launch: { ...upToDate, status: 'OutOfDate' }, current: upToDate, status: 'TDRelaunchAdvised' },
      event_log: { ...eventLog, source: 'ccel', dstack: null },
    })
    expect(tdxOf({ item })).toMatchObject({
      tcb: { status: 'TDRelaunchAdvised', launch_status: 'OutOfDate', current_status: 'UpToDate', qe_identity_evaluation_data_number: 19 },
      event_log: { facts: { ...eventLog.facts } },
    })
  })

  it('tells the application of a runtime log, but not which instance it is', () => {
    const item = tdxItem({
      ...unowned,
      mr_config_id: hexOf(0, 48),
      initdata: null,
      event_log: { ...eventLog, facts: { secure_boot: null, boot_applications: [], kernel_cmdline: null, container_images: null } },
    })
    expect(tdxOf({ item })['event_log']).toEqual({
      source: 'ccel+dstack',
      replayed: [0, 1, 2, 3],
      facts: { boot_applications: [] },
      dstack: { app_id: hexOf(0xa1, 20), compose_hash: hexOf(0xc0, 32), key_provider: '{"name":"kms"}', os_image_hash: hexOf(0x05, 32) },
    })
  })

  it('leaves out what nobody set, and what is not known', () => {
    const tcb = { ...upToDate, early_status: null, module: null, module_tcb_date: null }
    const unknown = { ...platform, smt_enabled: null, dynamic_platform: null, cached_keys: null }
    const item = tdxItem({ ...unowned, mr_config_id: hexOf(0, 48), tcb, platform: unknown, event_log: null, initdata: null })
    expect(JSON.stringify(tdxOf({ item }))).not.toMatch(
      /mr_owner|mr_config_id|mr_service_td|early_status|module|smt_enabled|dynamic_platform|cached_keys|event_log|initdata|collateral_expired/,
    )
  })

  it('says that a guest can be debugged, and that grace was needed, where a policy lets them', () => {
    const { td_attributes: attributes, collateral } = tdxClaims
    const item = tdxItem({
      td_attributes: { ...attributes, value: '0100001000000000', debug: true },
      collateral: { ...collateral, collateral_expired: true },
    })
    expect(claimsOf({ item })['dbgstat']).toBe('enabled')
    expect(tdxOf({ item })['collateral_expired']).toBe(true)
  })

  it.each([
    ['PERF_PROF', { value: '2000001000000000', perf_prof: true }],
    ['a bit of TUD without a name', { value: '0200001000000000', tud_bits: '0x2' }],
  ])('does not say that nobody can look into a guest with %s', (_, bits) => {
    const item = tdxItem({ td_attributes: { ...tdxClaims.td_attributes, ...bits } })
    expect(claimsOf({ item })['dbgstat']).toBe('enabled')
  })

  it('always says that a service TD is bound, however little else it tells', () => {
    const given = { item: tdxItem({ mr_service_td: hexOf(0x57, 48) }), cnf: rsa, names: 'longest' } as const
    expect(tdxOf(given)['mr_service_td']).toBe(hexOf(0x57, 48))
    expect(tdxOf(given)).not.toHaveProperty('rtmr0')
  })
})

describe('the token of an enclave', () => {
  it('says which it is', () => {
    const claims = claimsOf({ item: sgxItem(), cnf: ec })
    expect(claims).toMatchObject({ tcb: { hw: 'sgx', vtpm: 'none' }, dbgstat: 'disabled-since-boot', hwmodel: 'Intel-SGX' })
    const { mr_enclave, mr_signer, isv_prod_id, isv_svn, attributes, misc_select, config_id, config_svn } = sgxClaims
    const named = { mr_enclave, mr_signer, isv_prod_id, isv_svn, debug: false, attributes, misc_select, config_id, config_svn }
    const { isv_family_id, isv_ext_prod_id } = sgxClaims
    expect(sgxOf({ item: sgxItem(), cnf: ec })).toMatchObject({ ...named, quote_version: 3, isv_family_id, isv_ext_prod_id })
    expect(Object.keys(claims.submods.cpu0.assay)).toEqual(['sgx'])
  })

  it('says that it can be debugged, where a policy lets it', () => {
    expect(claimsOf({ item: sgxItem({ debug: true }) })['dbgstat']).toBe('enabled')
  })

  it('leaves out what was never configured', () => {
    const none = { config_id: hexOf(0, 64), config_svn: 0, isv_family_id: hexOf(0, 16), isv_ext_prod_id: hexOf(0, 16) }
    expect(JSON.stringify(sgxOf({ item: sgxItem(none) }))).not.toMatch(/config_|isv_family_id|isv_ext_prod_id|module/)
  })
})

describe('the size of a token', () => {
  it.each<[string, ItemAppraisal]>([
    ['TDX', tdxItem()],
    ['SGX', sgxItem()],
    [
      'TDX with a command line and images without end',
      tdxItem({
        event_log: {
          ...eventLog,
          facts: { ...eventLog.facts, kernel_cmdline: 'x'.repeat(5000), container_images: Array(500).fill('sha256:0') },
        },
        tcb: { ...upToDate, advisory_ids: Array.from({ length: 500 }, (_, i) => `INTEL-SA-${i}`) },
      }),
    ],
  ])('stays under 4 KiB: %s', (_, item) => {
    for (const cnf of [ec, rsa]) {
      expect(tokenFor({ item, cnf }).length).toBeLessThan(4096)
      expect(tokenFor({ item, cnf, names: 'longest' }).length).toBeLessThan(4096)
    }
  })

  it('leaves room for the registers beside a key of usual size and long names', () => {
    const told = Object.keys(tdxOf({ item: usual, cnf: ec, names: 'longest' }))
    expect(told).toEqual(expect.arrayContaining(['mr_td', 'rtmr0', 'rtmr1', 'rtmr2', 'rtmr3', 'mr_config_id']))
  })
})

/** The formula of design section 4. */
const pseudonym = (kind: string, value: Uint8Array): string =>
  `urn:assay:${kind}:${createHmac('sha256', subject).update(`https://rp.example\0${kind}\0`).update(value).digest('hex').slice(0, 32)}`

describe('sub and host_id', () => {
  it.each([
    ['TDX', tdxItem()],
    ['SGX', sgxItem()],
  ])('name the key, else the token alone; and the machine by its PPID: %s', (_, item) => {
    expect(claimsOf({ item, cnf: ec }).sub).toBe(pseudonym('cnf', ec.thumbprint))
    const once = claimsOf({ item })
    expect(once.sub).toBe(pseudonym('once', Buffer.from(String(once.jti))))
    expect(once['host_id']).toBe(pseudonym('host', Buffer.from(platform.ppid, 'hex')))
  })

  it('name no machine whose PPID is zero or absent', () => {
    for (const ppid of [hexOf(0, 16), '']) {
      expect(claimsOf({ item: tdxItem({ platform: { ...platform, ppid } }) })).not.toHaveProperty('host_id')
      expect(claimsOf({ item: sgxItem({ platform: { ...platform, ppid } }) })).not.toHaveProperty('host_id')
    }
  })
})
