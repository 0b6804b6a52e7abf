import { COMMON, isEarSubmod, isLeanSubmod, isVeraisonSubmod, type Claims, type Item } from './claims.ts'
import type { JsonObject } from './json.ts'
import { AttestationRefused } from './problems.ts'
import { misshapen, object } from './shape.ts'

type Submod = Omit<Item, 'label'>
type Row = {
  /** `typ` in production; outside it has `demo+` in front. */
  readonly typ: 'JWT' | 'eat+jwt'
  /** `eat_profile`. */
  readonly tag: string
  /** What the profile says of one piece of evidence; undefined: it is not that profile's. */
  readonly read: (submod: unknown) => Submod | undefined
}

/** How tokens are written, and where each profile keeps what. */
export const PROFILES = {
  lean: { typ: 'JWT', tag: 'urn:assay:token:lean:1', read: (submod) => (isLeanSubmod(submod) ? submod : undefined) },
  ear: { typ: 'eat+jwt', tag: 'tag:ietf.org,2026:rats/ear#03', read: readEar },
  'ear-veraison': { typ: 'eat+jwt', tag: 'tag:github.com,2023:veraison/ear', read: readVeraison },
} as const satisfies Readonly<Record<string, Row>>

/** One of them. */
export type Profile = keyof typeof PROFILES

/** All of them. */
export const PROFILE_NAMES = ['lean', 'ear', 'ear-veraison'] as const satisfies readonly Profile[]

function readEar(submod: unknown): Submod | undefined {
  if (!isEarSubmod(submod)) return undefined
  const { ear_status: status, ear_trustworthiness_vector: trustworthiness, assay } = submod
  return { ...assay, status, trustworthiness, assay }
}

function readVeraison(submod: unknown): Submod | undefined {
  if (!isVeraisonSubmod(submod)) return undefined
  return {
    ...submod['ear.veraison.policy-claims'],
    status: submod['ear.status'],
    trustworthiness: submod['ear.trustworthiness-vector'],
    assay: submod['ear.veraison.annotated-evidence'],
  }
}

const isClaims = object(COMMON)

/** The claims of a token. Throws `claims-malformed`, which names the first that is not as its profile has it. */
export function readClaims(value: JsonObject): Claims {
  if (isClaims(value)) return value
  throw new AttestationRefused('claims-malformed', { claim: misshapen(COMMON, value) })
}

/** Every piece of evidence, by the names of one profile; at least one. Throws `claims-malformed`. */
export function readItems({ submods }: Claims, profile: Profile): readonly Item[] {
  const row: Row = PROFILES[profile]
  const items = Object.entries(submods).map(([label, submod]): Item => {
    const read = row.read(submod)
    if (read === undefined) throw new AttestationRefused('claims-malformed', { claim: `submods.${label}` })
    return { ...read, label }
  })
  if (items.length > 0) return items
  throw new AttestationRefused('claims-malformed', { claim: 'submods' })
}
