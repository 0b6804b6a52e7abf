import { z } from 'zod'

/** Members that are no rules: they decide how a rule is asked, or whether evidence counts as genuine. Those below them, too. */
const NO_RULES = [
  'snp.crl',
  'snp.masked_chip_id',
  'snp.min_build',
  'snp.id_key_enforcement',
  'tdx.collateral_grace_seconds',
  'tdx.skew_seconds',
  'tdx.xfam.ignored',
  'sgx.collateral_grace_seconds',
  'sgx.skew_seconds',
  // How evidence is read, and whose word counts: what is refused there is not genuine.
  'tpm.ak_trust',
  'tpm.enrolled_aks',
  'tpm.denied_aks',
  'tpm.ak_without_public_area',
  'tpm.ek',
  'tpm.banks',
  'tpm.required_pcrs',
  'tpm.crl',
  'tpm.event_log.replayed_pcrs',
  'tpm.event_log.bootloader',
  'tpm.event_log.exit_boot_services_workaround',
  'tpm.event_log.empty_secure_boot_variable',
  'tpm.event_log.efi_app_before_calling_event',
  'tpm.secure_boot.pre_separator_authority',
  'tpm.clock.compare_to_previous',
  'tpm.ima.excludes',
  'tpm.ima.ignored_keyrings',
  'tpm.ima.buffers',
  'tpm.ima.legacy_padding',
]

/** Minima by model, and registers by number, have no names that a schema could list. */
const UNLISTED = [
  /^snp\.min_tcb\.(?:reported|committed|current|launch)\.cpuid\.(?:19|1a)_[0-9a-f]{2}(?:\.[a-z]+)?$/,
  /^tpm\.pcrs\.sha(?:256|384|512)\.(?:1?[0-9]|2[0-3])$/,
]

type Paths = { readonly all: ReadonlySet<string>; readonly dangerous: readonly string[] }

/** Whether a path is the other, or leads to a group that holds it. */
export const covers = (group: string, path: string): boolean => path === group || path.startsWith(`${group}.`)

/**
 * A check of the paths that a policy may only warn of. `schema` are the sections of the document; the answer is what is wrong with a path.
 * A rule with a word `DANGEROUSLY_…` is weakened by that word only, so that whoever searches for it finds every such policy.
 */
export function warnCheck(schema: z.ZodType): (path: string) => string | undefined {
  let known: Paths | undefined
  return (path) => {
    known ??= pathsOf(schema)
    if (NO_RULES.some((other) => covers(other, path))) return 'decides no rule, so there is nothing to warn of'
    if (!path.includes('.') || !(known.all.has(path) || UNLISTED.some((form) => form.test(path))))
      return 'expected the path of a rule, such as `snp.vmpl`'
    const dangerous = known.dangerous.find((rule) => covers(path, rule))
    return dangerous === undefined
      ? undefined
      : `\`${dangerous}\` is weakened by its own word \`DANGEROUSLY_…\` only; name rules one by one`
  }
}

function pathsOf(schema: z.ZodType): Paths {
  const [all, dangerous] = [new Set<string>(), new Set<string>()]
  walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), '', (path, word) => {
    all.add(path)
    if (word?.startsWith('DANGEROUSLY_') === true) dangerous.add(path)
  })
  return { all, dangerous: [...dangerous].filter((path) => !NO_RULES.some((other) => covers(other, path))) }
}

type Node = z.core.JSONSchema._JSONSchema

/** Calls `visit` for each member with each word that it may be. */
function walk(node: Node, path: string, visit: (path: string, word?: string) => void): void {
  if (typeof node === 'boolean') return
  if (path !== '') visit(path)
  for (const word of wordsOf(node)) visit(path, word)
  for (const form of node.anyOf ?? []) walk(form, path, visit)
  for (const [name, member] of Object.entries(node.properties ?? {})) walk(member, below(path, name), visit)
}

const wordsOf = ({ const: word, enum: words = [] }: Exclude<Node, boolean>): readonly string[] =>
  [word, ...words].filter((each) => typeof each === 'string')

const below = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`)
