import type { ActivePolicy } from '../src/appraisal/policy-set.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'

/** The `policy` member of a vector in snp/_synthetic/MANIFEST.json: shorthand for options of specification snp.md section 9. */
export type PolicyShorthand = { readonly [option: string]: unknown }

/**
 * A policy document, as text, that enforces only what a vector names: nothing else is refused, so that a refusal can only come from
 * what the vector is about. Revocation lists are taken where they are given. Throws for an option that is not known here.
 */
export const policyTextFromShorthand = (shorthand: PolicyShorthand | null | undefined): string =>
  JSON.stringify(
    Object.entries(shorthand ?? {})
      .map(([option, value]) => translate(option, value))
      .reduce(merge, LENIENT),
  )

/** The same, read. */
export const policyFromShorthand = (shorthand: PolicyShorthand | null | undefined): ActivePolicy =>
  readPolicy(policyTextFromShorthand(shorthand), 'shorthand')

type Members = { readonly [member: string]: unknown }

const LENIENT: Members = {
  name: 'vector',
  key_binding: 'DANGEROUSLY_OPTIONAL',
  relying_party_nonce: 'allow',
  issue_on: 'warning',
  explain: 'full',
  snp: {
    measurements: 'DANGEROUSLY_ACCEPT_ANY',
    min_report_version: 2,
    guest_policy: { debug: 'DANGEROUSLY_ALLOW', migrate_ma: 'DANGEROUSLY_ALLOW', cxl: 'allow' },
    permit_provisional_firmware: true,
    platform_info: { alias_check: 'any' },
    vmpl: [0, 1, 2, 3],
    migration_agent: 'allow',
    advisories: { 'amd-sb-3019': 'report' },
    crl: { mode: 'prefer', skew_seconds: 0 },
  },
}

const guest = (option: string) => (value: unknown) => ({ guest_policy: { [option]: value } })
const platform = (option: string) => (value: unknown) => ({ platform_info: { [option]: value } })
const member = (option: string) => (value: unknown) => ({ [option]: value })
const one = (option: string) => (value: unknown) => ({ [option]: [value] })
const nothing = () => ({})

/** Documents refuse an all-zero digest; a digest of nobody refuses the same key. */
const digests = (option: string) => (value: unknown) => ({
  [option]: (value as readonly string[]).map((digest) => (/^0*$/.test(digest) ? 'f0'.repeat(48) : digest)),
})

const tcb = (which: string) => (value: unknown) => {
  const { bl, tee, snp, ucode } = value as { bl: number; tee: number; snp: number; ucode: number }
  const parts = { bootloader: bl, tee, snp, microcode: ucode }
  return { min_tcb: { [which]: { milan: parts, genoa: parts, turin: parts } } }
}

const OPTIONS: { readonly [option: string]: (value: unknown) => Members } = {
  smt: guest('smt'),
  migrateMa: guest('migrate_ma'),
  debug: guest('debug'),
  cxl: guest('cxl'),
  singleSocket: guest('single_socket'),
  memAes256Xts: guest('mem_aes_256_xts'),
  raplDis: guest('rapl_dis'),
  ciphertextHiding: guest('ciphertext_hiding'),
  pageSwapDisable: guest('page_swap_disable'),
  minAbi: guest('min_abi'),
  tsme: platform('tsme'),
  ecc: platform('ecc'),
  tio: platform('tio'),
  aliasCheck: platform('alias_check'),
  unknownBits: platform('unknown_bits'),
  minReportVersion: member('min_report_version'),
  vmpl: member('vmpl'),
  permitProvisionalFirmware: member('permit_provisional_firmware'),
  minReportedTcb: tcb('reported'),
  minLaunchTcb: tcb('launch'),
  minCommittedTcb: tcb('committed'),
  advisories: (value) => ({ advisories: Object.fromEntries((value as readonly string[]).map((id) => [id, 'refuse'])) }),
  requireIdBlock: member('require_id_block'),
  trustedIdKeyDigests: digests('trusted_id_key_digests'),
  requireAuthorKey: member('require_author_key'),
  trustedAuthorKeyDigests: digests('trusted_author_key_digests'),
  hostData: one('host_data'),
  cspIds: member('csp_ids'),
  minLaunchMitVector: member('min_launch_mit_vector'),
  requireCurrentMitSupersetOfLaunch: member('require_current_mit_superset_of_launch'),
  allowMigrationAgent: (value) => ({ migration_agent: value === true ? 'allow' : 'refuse' }),
  // The list to check and the rollback state are collateral, not policy.
  crl: nothing,
  highestSeen: nothing,
}

function translate(option: string, value: unknown): Members {
  const row = OPTIONS[option]
  if (row === undefined) throw new Error(`no translation for the policy option ${option}`)
  return { snp: row(value) }
}

function merge(into: Members, from: Members): Members {
  const merged = Object.entries(from).map(([key, value]) => [key, isMembers(value) ? merge((into[key] ?? {}) as Members, value) : value])
  return { ...into, ...(Object.fromEntries(merged) as Members) }
}

const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null && !Array.isArray(value)
