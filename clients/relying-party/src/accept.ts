import { FRESHNESS, HARDWARE, TECHNOLOGIES, type Freshness, type Hardware, type Technology } from './claims.ts'
import { isObject, type JsonObject } from './json.ts'
import { AttestationRefused } from './problems.ts'
import { PROFILE_NAMES, type Profile } from './profiles.ts'
import { DEFAULTS, RULES, type Conditions, type Rule, type Test } from './rules.ts'
import { filled, listOf, misshapen, oneOf, optional, sha256, type Guard } from './shape.ts'

/** A policy by its content, and by its name if that should count, too. The name alone can be given new content by whoever runs the service. */
export type AcceptedPolicy = { readonly sha256: string; readonly name?: string } | { readonly DANGEROUSLY_BY_NAME: string }

/** What a relying party accepts. Whatever is not named is refused, or has the default that is told here. */
export type Accept = {
  readonly policies: readonly AcceptedPolicy[] | 'DANGEROUSLY_ANY_POLICY'
  /** Default `lean`. */
  readonly profiles?: readonly Profile[]
  /** `eat_profile` of profile `ear`, which changes with each draft. */
  readonly earProfile?: string
  /** Tokens made outside production, whose issuers end in `.invalid`; then no others are accepted. Default `refuse`. */
  readonly demo?: 'refuse' | 'DANGEROUSLY_ACCEPT_DEMO'
  /** Verdict on every piece of evidence; default `affirming`. */
  readonly status?: readonly ('affirming' | 'warning')[]
  /** Default `snp`, `tdx` and `sgx`. For `none`, a TPM alone, `tpm.ak_trust` must be said. */
  readonly hardware?: readonly Hardware[]
  /** Default `challenge` and `relying-party`, of which the latter demands the option `nonce`. */
  readonly freshness?: readonly Freshness[]
  /** What the policy may weaken; default nothing. */
  readonly weakenings?: readonly string[]
  /** Codes of checks that may have failed and been tolerated; default none. */
  readonly tolerated?: readonly string[]
  /** Default `refuse`. */
  readonly debug?: 'refuse' | 'DANGEROUSLY_ACCEPT_DEBUG'
} & { readonly [T in Technology]?: Conditions<T> }

const isAcceptedPolicy = (value: unknown): value is AcceptedPolicy =>
  isObject(value) &&
  (Object.keys(value).join() === 'DANGEROUSLY_BY_NAME'
    ? filled(value['DANGEROUSLY_BY_NAME'])
    : sha256(value['sha256']) && optional(filled)(value['name']) && onlyNames(value, ['sha256', 'name']))

const onlyNames = (value: JsonObject, names: readonly string[]): boolean => Object.keys(value).every((name) => names.includes(name))

const isPolicies = (value: unknown): value is Accept['policies'] => value === 'DANGEROUSLY_ANY_POLICY' || listOf(isAcceptedPolicy)(value)

const isConditions = optional((value: unknown): value is JsonObject => isObject(value))

/** Every member of {@link Accept}; one of another name would be ignored, which no condition may be. */
const SHAPE = {
  policies: isPolicies,
  profiles: optional(listOf(oneOf(PROFILE_NAMES))),
  earProfile: optional(filled),
  demo: optional(oneOf(['refuse', 'DANGEROUSLY_ACCEPT_DEMO'])),
  status: optional(listOf(oneOf(['affirming', 'warning']))),
  hardware: optional(listOf(oneOf(HARDWARE))),
  freshness: optional(listOf(oneOf(FRESHNESS))),
  weakenings: optional(listOf(filled)),
  tolerated: optional(listOf(filled)),
  debug: optional(oneOf(['refuse', 'DANGEROUSLY_ACCEPT_DEBUG'])),
  snp: isConditions,
  tdx: isConditions,
  sgx: isConditions,
  tpm: isConditions,
} as const satisfies Readonly<Record<keyof Accept, Guard<unknown>>>

const GENERAL = {
  profiles: ['lean'],
  earProfile: 'tag:ietf.org,2026:rats/ear#03',
  demo: 'refuse',
  status: ['affirming'],
  hardware: ['snp', 'tdx', 'sgx'],
  freshness: ['challenge', 'relying-party'],
  weakenings: [],
  tolerated: [],
  debug: 'refuse',
} as const satisfies Omit<Accept, 'policies'>

/** One thing that is wanted of one claim. */
export type Condition = { readonly claim: string; readonly path: readonly string[]; readonly wanted: unknown; readonly test: Test }

/** {@link Accept} as it is asked: with its defaults, and every condition ready. */
export type Accepting = typeof GENERAL extends infer G
  ? { readonly [K in keyof G & keyof Accept]: NonNullable<Accept[K]> } & {
      readonly policies: Accept['policies']
      /** Technologies of which conditions were given. */
      readonly demanded: readonly Technology[]
      readonly conditions: Readonly<Record<Technology, readonly Condition[]>>
    }
  : never

const known = new WeakMap<object, Accepting>()

/**
 * Reads what a relying party accepts, once for each object, which is frozen from then on: a change that nobody reads would be a condition that nobody asks.
 * Throws `options-invalid` for what could never be asked.
 */
export function readAccept(accept: Accept): Accepting {
  const read = known.get(accept)
  if (read !== undefined) return read
  const accepting = compile(accept)
  known.set(freeze(accept), accepting)
  return accepting
}

function freeze<T extends object>(value: T): T {
  const inside: readonly unknown[] = Object.values(value)
  for (const one of inside) if (typeof one === 'object' && one !== null) freeze(one)
  return Object.freeze(value)
}

function compile(accept: Accept): Accepting {
  const given: unknown = accept
  if (!isObject(given)) throw invalid('accept', given)
  // What is there and undefined was meant to be something.
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(SHAPE, name) || given[name] === undefined) ?? misshapen(SHAPE, given)
  if (unknown !== undefined) throw invalid(`accept.${unknown}`, given[unknown])
  const { hardware = GENERAL.hardware, tpm } = accept
  if (hardware.includes('none') && tpm?.ak_trust === undefined) throw invalid('accept.tpm.ak_trust', 'absent')
  return {
    ...GENERAL,
    ...accept,
    demanded: TECHNOLOGIES.filter((technology) => accept[technology] !== undefined),
    conditions: {
      snp: conditionsOf('snp', accept.snp),
      tdx: conditionsOf('tdx', accept.tdx),
      sgx: conditionsOf('sgx', accept.sgx),
      tpm: conditionsOf('tpm', accept.tpm),
    },
  }
}

function conditionsOf(technology: Technology, given: object = {}): readonly Condition[] {
  const rules: Readonly<Record<string, Rule<unknown>>> = RULES[technology]
  return Object.entries({ ...DEFAULTS[technology], ...given }).map(([name, wanted]: [string, unknown]) => {
    const claim = `${technology}.${name}`
    const test = Object.hasOwn(rules, name) ? rules[name]?.compile(wanted) : undefined
    if (test === undefined) throw invalid(`accept.${claim}`, wanted)
    return { claim, path: name.split('.'), wanted, test }
  })
}

const invalid = (option: string, given: unknown): AttestationRefused => new AttestationRefused('options-invalid', { option, given })
