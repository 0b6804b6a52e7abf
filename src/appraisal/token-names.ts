import type { Claims } from '../verifiers/verifier.ts'
import { isZero } from './tdx/bits.ts'

/** A signed value of fixed format that a name may hold, and the list by which a policy pins it where guest or host could choose it. */
type Source = { readonly read: (claims: Claims) => string | number | null | undefined; readonly pin?: string }

/** What may stand between braces in a template. */
const SOURCES: Readonly<Record<string, Source>> = {
  'snp.measurement': { read: ({ snp }) => snp?.measurement, pin: 'snp.measurements' },
  'snp.host_data': { read: ({ snp }) => snp?.host_data, pin: 'snp.host_data' },
  'snp.family_id': { read: ({ snp }) => snp?.family_id, pin: 'snp.family_id' },
  'snp.image_id': { read: ({ snp }) => snp?.image_id, pin: 'snp.image_id' },
  'snp.id_key_digest': { read: ({ snp }) => snp?.id_key_digest, pin: 'snp.trusted_id_key_digests' },
  'snp.author_key_digest': { read: ({ snp }) => snp?.author_key_digest, pin: 'snp.trusted_author_key_digests' },
  'snp.report_id': { read: ({ snp }) => snp?.report_id },
  'snp.chip_id': { read: ({ snp }) => snp?.vek.hwid },
  'snp.product': { read: ({ snp }) => snp?.product },
  'tdx.mr_td': { read: ({ tdx }) => tdx?.mr_td, pin: 'tdx.mr_td' },
  'tdx.rtmr0': { read: ({ tdx }) => tdx?.rtmr0, pin: 'tdx.rtmr0' },
  'tdx.rtmr1': { read: ({ tdx }) => tdx?.rtmr1, pin: 'tdx.rtmr1' },
  'tdx.rtmr2': { read: ({ tdx }) => tdx?.rtmr2, pin: 'tdx.rtmr2' },
  'tdx.rtmr3': { read: ({ tdx }) => tdx?.rtmr3, pin: 'tdx.rtmr3' },
  'tdx.mr_config_id': { read: ({ tdx }) => tdx?.mr_config_id, pin: 'tdx.mr_config_id' },
  'tdx.mr_owner': { read: ({ tdx }) => tdx?.mr_owner, pin: 'tdx.mr_owner' },
  'tdx.mr_owner_config': { read: ({ tdx }) => tdx?.mr_owner_config, pin: 'tdx.mr_owner_config' },
  'tdx.platform.fmspc': { read: ({ tdx }) => tdx?.platform.fmspc },
  'tdx.platform.ppid': { read: ({ tdx }) => tdx?.platform.ppid },
  'sgx.mr_enclave': { read: ({ sgx }) => sgx?.mr_enclave, pin: 'sgx.mr_enclave' },
  'sgx.mr_signer': { read: ({ sgx }) => sgx?.mr_signer, pin: 'sgx.mr_signer' },
  'sgx.isv_prod_id': { read: ({ sgx }) => sgx?.isv_prod_id, pin: 'sgx.isv_prod_id' },
  'sgx.platform.fmspc': { read: ({ sgx }) => sgx?.platform.fmspc },
  'sgx.platform.ppid': { read: ({ sgx }) => sgx?.platform.ppid },
  'tpm.ak_name': { read: ({ tpm }) => tpm?.ak.name },
  'tpm.ek': { read: ({ tpm }) => tpm?.ek?.public_key_sha256 },
  'tpm.gce.project_id': { read: ({ tpm }) => tpm?.gce?.project_id, pin: 'tpm.gce.project_ids' },
  'tpm.gce.zone': { read: ({ tpm }) => tpm?.gce?.zone },
  'tpm.gce.instance_id': { read: ({ tpm }) => tpm?.gce?.instance_id },
}

const PLACEHOLDER = /\{([^{}]*)\}/g
/** Of names that this service, or Kubernetes, gives a meaning of its own. */
const RESERVED = /^(?:urn:assay:|system:)/i
const NAME = /^[A-Za-z0-9._:/@-]+$/

/** The longest name that a template may yield. */
const MOST_CHARACTERS = 128

/** The lists that must be in the policy for a template to be safe; a text that says what is wrong with it otherwise. */
export function pinsOf(template: string): readonly string[] | string {
  const sources = [...template.matchAll(PLACEHOLDER)].map((match) => match[1] ?? '')
  const unknown = sources.find((source) => !Object.hasOwn(SOURCES, source))
  if (unknown !== undefined) return `\`{${unknown}}\` is no value that a name may hold; these are: ${Object.keys(SOURCES).join(', ')}`
  // With any letter in place of a value what is left must be a name, too.
  const literal = template.replace(PLACEHOLDER, '0')
  if (!NAME.test(literal) || literal.length > MOST_CHARACTERS)
    return `expected at most ${MOST_CHARACTERS} letters, digits and \`._:/@-\` around values in braces`
  if (RESERVED.test(literal)) return 'names that begin with `urn:assay:` or `system:` are not for policies to give'
  return sources.flatMap((source) => SOURCES[source]?.pin ?? [])
}

/**
 * The name that a template yields for believable claims; undefined where a value is absent (all zeros are, too) or cannot stand in a name.
 * Values render as `[A-Za-z0-9._-]` only, so none can put on a prefix of its own.
 */
export function renderName(template: string, claims: Claims): string | undefined {
  const values = [...template.matchAll(PLACEHOLDER)].map((match) => valueOf(match[1] ?? '', claims))
  if (values.includes(undefined)) return undefined
  let at = 0
  const name = template.replace(PLACEHOLDER, () => values[at++] ?? '')
  return NAME.test(name) && name.length <= MOST_CHARACTERS && !RESERVED.test(name) ? name : undefined
}

function valueOf(source: string, claims: Claims): string | undefined {
  const value = Object.hasOwn(SOURCES, source) ? SOURCES[source]?.read(claims) : undefined
  if (typeof value === 'number') return `${value}`
  return typeof value === 'string' && !isZero(value) && /^[A-Za-z0-9._-]+$/.test(value) ? value : undefined
}
