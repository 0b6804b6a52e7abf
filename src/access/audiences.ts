import type { ActivePolicy, PolicySet } from '../appraisal/policy-set.ts'
import { weakeningsOf } from '../appraisal/weakenings.ts'
import { AttestationError } from '../verifiers/problems.ts'

/** Algorithms that a token may be signed with (RFC 7518 section 3.1, RFC 8037 section 3.1); the first is the default. */
export const TOKEN_ALGORITHMS = ['ES256', 'ES384', 'RS256', 'PS256', 'PS384', 'EdDSA'] as const

/** One of them. */
export type TokenAlgorithm = (typeof TOKEN_ALGORITHMS)[number]

/** How tokens are written (design section 4); the first is the default. */
export const TOKEN_PROFILES = ['lean', 'ear', 'ear-veraison'] as const

/** One of them. */
export type TokenProfile = (typeof TOKEN_PROFILES)[number]

/** `eat_profile` of the draft whose member names profile `ear` has (specification tokens.md C2). */
export const EAR_DRAFT = 'tag:ietf.org,2026:rats/ear#03'

/** Who tokens are for, as configured; one token has one audience (design section 3, Who decides). */
export type Audience = {
  readonly name: string
  /** Names of the policies that may judge for this audience; the first is the default. */
  readonly policies: readonly string[]
  readonly profile: TokenProfile
  readonly alg: TokenAlgorithm
  /** Whether attesters may bring a nonce of the relying party (the policy must allow it, too). */
  readonly relyingPartyNonce: 'refuse' | 'allow'
  /** Weakened policies that stand beside others on purpose: an audience is as strong as its weakest policy. */
  readonly DANGEROUSLY_WEAKENED_BY?: readonly string[]
}

/** The configured audiences. */
export type Audiences = {
  readonly all: readonly Audience[]
  /** Which audience and which of these policies a request means. Throws `audience-not-allowed`. An omitted audience is `default`. */
  readonly resolve: (asked: Asked, policies: PolicySet) => { audience: Audience; policy: ActivePolicy }
}

/** What a request names. */
type Asked = { readonly audience?: string | undefined; readonly policy?: string | undefined }

/** Something wrong with the configured audiences, for `config check`. */
export type AudienceProblem = { readonly path: string; readonly message: string; readonly expected: string }

/** The audience of a request that names none, also inside the binding. */
const DEFAULT_AUDIENCE = 'default'

/** AWS takes audiences of up to 255 characters (tokens.md C5). */
const MAX_NAME = 255

/** Printable ASCII without blanks, quotes and `*`: an audience is a name or a URL, never a pattern. */
const NAME = /^[!#-&(-)+-~]+$/

/** Looks up audiences. Whether they fit the policies is for {@link audienceProblems} to say. */
export function createAudiences(all: readonly Audience[]): Audiences {
  const byName = new Map(all.map((audience) => [audience.name, audience]))
  return {
    all,
    resolve: ({ audience: audienceName = DEFAULT_AUDIENCE, policy: policyName }, policies) => {
      const audience = byName.get(audienceName)
      if (audience === undefined) throw notAllowed('the audience is not one of this service', 'audience')
      const name = policyName ?? audience.policies[0]
      const policy = name !== undefined && audience.policies.includes(name) ? policies.get(name) : undefined
      if (policy === undefined) throw notAllowed('the audience may not use this policy', 'policy')
      return { audience, policy }
    },
  }
}

/**
 * All that is wrong with the configured audiences: empty when they can be used. A policy that is not there may be `awaited` where
 * somebody can still write it; until then the audience is refused to those who ask for it.
 */
export function audienceProblems(
  all: readonly Audience[],
  policies: PolicySet,
  absent: 'refused' | 'awaited' = 'refused',
): readonly AudienceProblem[] {
  if (all.length === 0) return [{ path: 'audiences', message: 'there is none', expected: 'at least one audience' }]
  const duplicates = all.filter((audience, i) => all.findIndex(({ name }) => name === audience.name) !== i)
  return [
    ...duplicates.map(({ name }) => ({ path: `audiences.${name}`, message: 'it is configured twice', expected: 'each name once' })),
    ...all.flatMap((audience) => [
      ...nameProblems(audience),
      ...policyProblems(audience, policies, absent),
      ...weaknessProblems(audience, policies),
    ]),
  ]
}

function nameProblems({ name }: Audience): readonly AudienceProblem[] {
  if (NAME.test(name) && name.length <= MAX_NAME) return []
  return [
    {
      path: `audiences.${name}`,
      message: 'it is not a usable name',
      expected: `1 to ${MAX_NAME} printable ASCII characters without blanks, quotes and wildcards`,
    },
  ]
}

function policyProblems(audience: Audience, policies: PolicySet, absent: 'refused' | 'awaited'): readonly AudienceProblem[] {
  const path = `audiences.${audience.name}.policies`
  if (audience.policies.length === 0) return [{ path, message: 'it is empty', expected: 'at least one policy' }]
  if (absent === 'awaited') return []
  const loaded = policies.all().map(({ reference }) => reference.name)
  return audience.policies
    .filter((name) => policies.get(name) === undefined)
    .map((name) => ({ path, message: `there is no policy ${name}`, expected: `policies that are loaded: ${loaded.join(', ')}` }))
}

/** What is wrong with letting a policy judge for the audiences that name it: it is weakened and would stand beside others. */
export const weakenedBeside = (policy: ActivePolicy, all: readonly Audience[]): readonly AudienceProblem[] =>
  all.filter(({ policies }) => policies.includes(policy.reference.name)).flatMap((audience) => weaknessesOf(policy, audience))

const weaknessProblems = (audience: Audience, policies: PolicySet): readonly AudienceProblem[] =>
  audience.policies.flatMap((name) => policies.get(name) ?? []).flatMap((policy) => weaknessesOf(policy, audience))

/** A weakened policy alone is a choice; beside others it is a back door, unless the audience repeats it. */
function weaknessesOf({ reference: { name }, document }: ActivePolicy, audience: Audience): readonly AudienceProblem[] {
  const isChosen = audience.policies.length < 2 || (audience.DANGEROUSLY_WEAKENED_BY ?? []).includes(name)
  if (isChosen) return []
  return weakeningsOf(document).map((weakening) => ({
    path: `audiences.${audience.name}.policies`,
    message: `the policy ${name} is weakened (${weakening}) and stands beside others, so every attester may choose it`,
    expected: 'an audience of its own, or its name repeated under DANGEROUSLY_WEAKENED_BY',
  }))
}

const notAllowed = (why: string, at: string): AttestationError => new AttestationError('audience-not-allowed', why, { at })
