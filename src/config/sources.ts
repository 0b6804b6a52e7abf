import { isMap, isNode, isScalar, type Document } from 'yaml'
import { plainValue, readYaml } from '../appraisal/yaml-text.ts'
import type { MemberName } from './members.ts'

/** How the text of a variable becomes the value of its member. */
type Reading = 'text' | 'integer' | 'list'

/** Which variable sets which member. What is not here can be set in the file only. */
const VARIABLES = {
  ASSAY_MODE: ['mode', 'text'],
  ASSAY_LISTEN: ['listen', 'text'],
  ASSAY_ADMIN_LISTEN: ['admin_listen', 'text'],
  ASSAY_ISSUER: ['issuer', 'text'],
  ASSAY_DATA_DIR: ['data_dir', 'text'],
  ASSAY_SECRET_FILE: ['secret_file', 'text'],
  ASSAY_TOKEN_KEY_FILE: ['token_key_file', 'text'],
  ASSAY_AK_CA_KEY_FILE: ['ak_ca_key_file', 'text'],
  ASSAY_POLICY_DIR: ['policy_dir', 'text'],
  ASSAY_REFERENCE_DIR: ['reference_dir', 'text'],
  ASSAY_AUDIT_FILE: ['audit_file', 'text'],
  ASSAY_PROCESSES: ['processes', 'integer'],
  ASSAY_LOG_LEVEL: ['log_level', 'text'],
  ASSAY_TLS_CERT: ['tls_cert', 'text'],
  ASSAY_TLS_KEY: ['tls_key', 'text'],
  ASSAY_TRUSTED_PROXIES: ['trusted_proxies', 'list'],
  ASSAY_REDIS_URL: ['redis_url', 'text'],
  ASSAY_REDIS_PREFIX: ['redis_prefix', 'text'],
  ASSAY_AMD_KDS_URL: ['amd_kds_url', 'text'],
  ASSAY_AMD_KDS_TRANSPORT: ['amd_kds_transport', 'text'],
  ASSAY_INTEL_COLLATERAL: ['intel_collateral', 'text'],
  ASSAY_INTEL_PCS_URL: ['intel_pcs_url', 'text'],
  ASSAY_INTEL_ROOT_CRL_URL: ['intel_root_crl_url', 'text'],
  ASSAY_INTEL_PCCS_URL: ['intel_pccs_url', 'text'],
  ASSAY_INTEL_PCCS_CA: ['intel_pccs_ca', 'text'],
  ASSAY_INTEL_TRANSPORT: ['intel_transport', 'text'],
  ASSAY_INTEL_PCS_API_KEY_FILE: ['intel_pcs_api_key_file', 'text'],
} as const satisfies Record<string, readonly [MemberName, Reading]>

/** Every variable with the member that it sets. */
export const variables = (): readonly { readonly variable: string; readonly member: MemberName }[] =>
  Object.entries(VARIABLES).map(([variable, [member]]) => ({ variable, member }))

/** Where the file is named. */
export const FILE_VARIABLE = 'ASSAY_CONFIG'

/** Environment of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Values as written, not yet checked, and where each came from. */
export type Sources = {
  readonly values: Readonly<Record<string, unknown>>
  /** Where the value at a path was written: a variable, a flag, or a line of the file. */
  readonly originOf: (path: readonly PropertyKey[]) => string
}

/** A value that does not come from environment or file: a flag of the command line. */
export type Flag = { readonly member: MemberName; readonly value: unknown; readonly flag: string }

const READ: Record<Reading, (text: string) => unknown> = {
  text: (text) => text,
  // Text that is no number is kept, so that the schema names what it expected.
  integer: (text) => (/^\d+$/.test(text) ? Number(text) : text),
  list: (text) =>
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
}

/** A flag overrides a variable, a variable the file. An empty variable counts as not set. */
export function mergeSources(environment: Environment, file: ParsedFile | undefined, flags: readonly Flag[]): Sources {
  const values: Record<string, unknown> = { ...file?.values }
  const origins = new Map<string, string>()
  for (const [variable, [member, reading]] of Object.entries(VARIABLES)) {
    const text = environment[variable]
    if (text === undefined || text === '') continue
    values[member] = READ[reading](text)
    origins.set(member, variable)
  }
  for (const { member, value, flag } of flags) {
    values[member] = value
    origins.set(member, flag)
  }
  const originOf = (path: readonly PropertyKey[]) => origins.get(String(path[0])) ?? file?.originOf(path) ?? 'default'
  return { values, originOf }
}

/**
 * Variables that begin like ours but mean nothing to us. Only a warning: Kubernetes sets ASSAY_SERVICE_HOST and its like
 * in every pod beside a service called `assay`.
 */
export const unknownVariables = (environment: Environment): readonly string[] =>
  Object.keys(environment).filter((name) => name.startsWith('ASSAY_') && name !== FILE_VARIABLE && !Object.hasOwn(VARIABLES, name))

/** A file whose text is YAML (JSON is YAML), not yet checked against the schema. */
export type ParsedFile = {
  readonly values: Readonly<Record<string, unknown>>
  /** The line of a member, or of its nearest parent that is there; undefined when the file says nothing of it. */
  readonly originOf: (path: readonly PropertyKey[]) => string | undefined
}

/** What is wrong with the text itself, by line. */
export type SyntaxProblem = { readonly line: number; readonly message: string }

/** Reads YAML text. Duplicate keys, aliases and tags are refused: one text must have one obvious meaning. */
export function parseFile(text: string, name: string): ParsedFile | readonly SyntaxProblem[] {
  const read = readYaml(text)
  if (!('yaml' in read)) return read.map(({ line = 1, message }) => ({ line, message }))
  const { yaml, lines } = read
  const values = settings(yaml)
  if (values === undefined) return [{ line: 1, message: 'the file must hold one mapping of settings, without aliases' }]
  const lineOf = (offset: number | undefined) => (offset === undefined ? undefined : `${name}:${lines.linePos(offset).line}`)
  return { values, originOf: (path) => lineOf(offsetOf(yaml, path)) }
}

function settings(document: Document): Readonly<Record<string, unknown>> | undefined {
  if (document.contents === null) return {}
  const plain = isMap(document.contents) ? plainValue(document) : 'aliases'
  return plain !== 'aliases' && isRecord(plain.value) ? plain.value : undefined
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Where a member is written; for one that is missing, where its nearest parent is. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number | undefined {
  for (let length = path.length; length > 0; length -= 1) {
    const parent: unknown = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    const key = isMap(parent) ? parent.items.find((pair) => isScalar(pair.key) && pair.key.value === last)?.key : undefined
    const node: unknown = isNode(key) ? key : document.getIn(path.slice(0, length), true)
    if (isNode(node) && node.range) return node.range[0]
  }
  return undefined
}
