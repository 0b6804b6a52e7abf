import { describe, expect, it } from 'vitest'
import { PolicyError, readPolicy } from './read-policy.ts'

const [a, b, digest] = ['aa'.repeat(64), 'bb'.repeat(64), 'ab'.repeat(48)]

const problems = (members: object): readonly string[] => {
  try {
    readPolicy(JSON.stringify({ name: 'edge', ...members }), 'edge.json')
  } catch (error) {
    if (error instanceof PolicyError) return error.problems.map(({ path }) => path)
    throw error
  }
  return []
}

/** What could never hold, where that is told, and the nearest document that is accepted. */
const ROWS: readonly (readonly [impossible: object, path: string, possible: object])[] = [
  [{ snp: { chip_ids: [a], denied_hwids: [a, b] } }, 'snp.chip_ids', { snp: { chip_ids: [a, b], denied_hwids: [a] } }],
  [{ snp: { chip_ids: [a], allowed_signing_keys: ['vlek'] } }, 'snp.chip_ids', { snp: { chip_ids: [a] } }],
  [{ snp: { csp_ids: ['CN=a'], allowed_signing_keys: ['vcek'] } }, 'snp.csp_ids', { snp: { csp_ids: ['CN=a'] } }],
  [
    { snp: { report_id_ma: ['11'.repeat(32)] } },
    'snp.report_id_ma',
    { snp: { report_id_ma: ['11'.repeat(32)], migration_agent: 'allow' } },
  ],
  [{ snp: { report_id_ma: ['11'.repeat(32)] } }, 'snp.report_id_ma', { snp: { report_id_ma: ['11'.repeat(32), 'ff'.repeat(32)] } }],
  [
    { snp: { min_launch_mit_vector: '0x1', max_report_version: 4 } },
    'snp.min_launch_mit_vector',
    { snp: { min_launch_mit_vector: '0x0', max_report_version: 4 } },
  ],
  [
    { snp: { min_current_mit_vector: '0x1', max_report_version: 4 } },
    'snp.min_current_mit_vector',
    { snp: { min_current_mit_vector: '0x1' } },
  ],
  [{ snp: { policy_values: ['0x30000', '0xb0000'] } }, 'snp.policy_values[1]', { snp: { policy_values: ['0x30000'] } }],
  [
    { snp: { policy_values: ['0x70000'] } },
    'snp.policy_values[0]',
    { snp: { policy_values: ['0x70000'], guest_policy: { migrate_ma: 'DANGEROUSLY_ALLOW' } } },
  ],
  [
    { snp: { policy_values: ['0x30000'], guest_policy: { smt: 'deny' } } },
    'snp.policy_values[0]',
    { snp: { policy_values: ['0x20000'], guest_policy: { smt: 'deny' } } },
  ],
  [
    { snp: { policy_values: ['0x230000'] } },
    'snp.policy_values[0]',
    { snp: { policy_values: ['0x230000'], guest_policy: { cxl: 'allow' } } },
  ],
  ...(
    [
      ['single_socket', '0x130000'],
      ['mem_aes_256_xts', '0x430000'],
      ['rapl_dis', '0x830000'],
      ['ciphertext_hiding', '0x1030000'],
      ['page_swap_disable', '0x2030000'],
    ] as const
  ).map(
    ([option, value]) =>
      [
        { snp: { policy_values: ['0x30000'], guest_policy: { [option]: 'require' } } },
        'snp.policy_values[0]',
        { snp: { policy_values: [value], guest_policy: { [option]: 'require' } } },
      ] as const,
  ),
  ...(['tdx', 'sgx'] as const).map(
    (section) =>
      [
        { [section]: { accepted_advisories: ['INTEL-SA-00001'], denied_advisories: ['INTEL-SA-00001'] } },
        `${section}.accepted_advisories`,
        { [section]: { accepted_advisories: ['INTEL-SA-00001'], denied_advisories: ['INTEL-SA-00002'] } },
      ] as const,
  ),
  ...(
    [
      ['debug', '0x10000001', 'DANGEROUSLY_ALLOW'],
      ['other_tud_bits', '0x10000010', 'DANGEROUSLY_ALLOW'],
      ['icssd', '0x10010000', 'allow'],
      ['perfmon', '0x8000000010000000', 'allow'],
    ] as const
  ).map(
    ([option, value, word]) =>
      [
        { tdx: { td_attributes: { values: [value] } } },
        'tdx.td_attributes.values[0]',
        { tdx: { td_attributes: { values: [value], [option]: word } } },
      ] as const,
  ),
  ...(
    [
      ['lass', '0x18000000'],
      ['pks', '0x50000000'],
      ['kl', '0x90000000'],
      ['tpa', '0x4000000010000000'],
    ] as const
  ).map(
    ([option, value]) =>
      [
        { tdx: { td_attributes: { values: [value], [option]: 'deny' } } },
        'tdx.td_attributes.values[0]',
        { tdx: { td_attributes: { values: [value] } } },
      ] as const,
  ),
  [
    { tdx: { td_attributes: { values: ['0x30000000'] } } },
    'tdx.td_attributes.values[0]',
    { tdx: { td_attributes: { values: ['0x30000000'], migratable: 'allow' }, mr_service_td: [digest] } },
  ],
  [
    { tdx: { td_attributes: { values: ['0x10020000'] } } },
    'tdx.td_attributes.values[0]',
    { tdx: { td_attributes: { values: ['0x10020000'], servtd_ext: 'allow' }, mr_service_td: [digest] } },
  ],
  [
    { tdx: { td_attributes: { values: ['0x0'] } } },
    'tdx.td_attributes.values[0]',
    { tdx: { td_attributes: { values: ['0x0'], sept_ve_disable: 'azure-paravisor' } } },
  ],
  [{ tdx: { xfam: { allowed: '0x3', required: '0x7' } } }, 'tdx.xfam.required', { tdx: { xfam: { allowed: '0x7', required: '0x3' } } }],
  [{ tdx: { xfam: { allowed: '0x3', values: ['0x7'] } } }, 'tdx.xfam.values[0]', { tdx: { xfam: { allowed: '0x7', values: ['0x7'] } } }],
  [
    { tdx: { xfam: { required: '0x7', values: ['0x3'] } } },
    'tdx.xfam.values[0]',
    { tdx: { xfam: { required: '0x7', values: ['0x3'], ignored: '0x4' } } },
  ],
  [
    { tdx: { xfam: { allowed: '0x3', values: ['0x7'] } } },
    'tdx.xfam.values[0]',
    { tdx: { xfam: { allowed: '0x3', values: ['0x7'], ignored: '0x4' } } },
  ],
]

describe('rules that could never hold', () => {
  it.each(ROWS)('%o is refused', (impossible, path, possible) => {
    expect(problems(impossible)).toEqual([path])
    expect(problems(possible)).toEqual([])
  })
})

describe('placeholders among values', () => {
  it.each(['ff', '0123456789abcdef', '1234567890abcdef', 'deadbeef', 'cafebabe', '00112233445566778899aabbccddeeff'])(
    '%s… is refused',
    (unit) => {
      const value = unit.repeat(48).slice(0, 96)
      expect(problems({ snp: { measurements: [value] } })).toEqual(['snp.measurements[0]'])
      expect(problems({ tdx: { mr_td: [value], rtmr3: [value] } })).toEqual(['tdx.mr_td[0]', 'tdx.rtmr3[0]'])
      expect(problems({ sgx: { mr_enclave: [value.slice(0, 64)] } })).toEqual(['sgx.mr_enclave[0]'])
      expect(problems({ snp: { measurements: [`${value.slice(0, 94)}00`] } })).toEqual([])
      expect(problems({ snp: { trusted_id_key_digests: [value], host_data: [value.slice(0, 64)] } })).toEqual([
        'snp.host_data[0]',
        'snp.trusted_id_key_digests[0]',
      ])
      expect(problems({ tdx: { mr_config_id: [value], mr_owner: [value], mr_owner_config: [value], mr_service_td: [value] } })).toEqual([
        'tdx.mr_config_id[0]',
        'tdx.mr_owner[0]',
        'tdx.mr_owner_config[0]',
        'tdx.mr_service_td[0]',
      ])
      expect(problems({ sgx: { platform: { ppids: [value.slice(0, 32)] } } })).toEqual(['sgx.platform.ppids[0]'])
    },
  )
})

describe('paths of `warn`', () => {
  it.each([
    'snp.vmpl',
    'snp.min_tcb',
    'snp.min_tcb.reported.milan.microcode',
    'snp.min_tcb.launch.cpuid.19_a0',
    'snp.min_tcb.launch.cpuid.1a_02.fmc',
    'snp.platform_info',
    'snp.advisories.amd-sb-3019',
    'tdx.event_log',
    'tdx.platform.smt',
    'sgx.min_isv_svn',
  ])('%s may be warned of', (path) => expect(problems({ warn: [path] })).toEqual([]))

  it.each([
    'snp',
    'tdx',
    'key_binding',
    'compositions',
    'snp.nothing',
    'snp.min_tcb.best',
    'snp.min_tcb.reported.milan.nothing',
    'snp.min_tcb.reported.cpuid.19',
    'snp.crl',
    'snp.crl.mode',
    'snp.masked_chip_id',
    'tdx.collateral_grace_seconds',
    'sgx.skew_seconds',
    'snp.guest_policy',
    'snp.guest_policy.debug',
    'snp.measurements',
    'tdx.mr_td',
    'tdx.td_attributes',
    'tdx.td_attributes.reserved_bits',
    'sgx.mr_enclave',
    'sgx.debug',
    'snp.',
    '',
    'snp.__proto__',
  ])('%s may not', (path) => expect(problems({ warn: [path] })).toEqual(['warn[0]']))

  it.each(['sgx.mr_signer', 'sgx.isv_prod_id'])('%s may not where nothing else says which enclaves may run', (path) => {
    const said = { mr_signer: ['ab'.repeat(32)], isv_prod_id: [1] }
    expect(problems({ warn: [path], sgx: said })).toEqual(['warn[0]'])
    expect(problems({ warn: [path], sgx: { ...said, mr_enclave: ['cd'.repeat(32)] } })).toEqual([])
    expect(problems({ warn: [path], sgx: { ...said, mr_enclave: 'DANGEROUSLY_ACCEPT_ANY' } })).toEqual([])
  })

  it('are given once, and are text', () => {
    expect(problems({ warn: ['snp.vmpl', 'snp.vmpl'] })).toEqual(['warn'])
    expect(problems({ warn: [1] })).toEqual(['warn[0]'])
    expect(problems({ warn: [] })).toEqual(['warn'])
  })
})
