import type { PolicyReference } from '../appraisal/appraisal.ts'
import type { ActivePolicy, PolicySet } from '../appraisal/policy-set.ts'
import type { VersionEntry } from '../stores/stores.ts'

/** Which policies judge at one moment, and which are tried beside them. One request uses one snapshot from its beginning to its end. */
export type Snapshot = PolicySet & {
  /** The version that is evaluated beside the active one and only reported. */
  readonly shadow: (name: string) => ActivePolicy | undefined
}

/** A policy that does not come from the store, with its text as it was written. */
export type FixedPolicy = { readonly policy: ActivePolicy; readonly text: string; readonly managedBy: 'files' | 'built-in' }

/** What a version counts for. */
export type VersionState = 'draft' | 'active' | 'shadow' | 'revoked'

/** A policy as it is listed. */
export type PolicyEntry = {
  readonly name: string
  readonly managedBy: 'store' | 'files' | 'built-in'
  /** What judges now in this process; null when nothing does. */
  readonly active: PolicyReference | null
  readonly shadow: PolicyReference | null
  /** How often it was decided which version counts; 0: never. To be named by whoever wants to decide on what they saw. */
  readonly counter: number
  readonly latest: Latest
}

/** The newest version of a policy. */
type Latest = Pick<VersionEntry, 'version' | 'sha256'>

/** A version and what it counts for. Nobody knows who wrote what is built in or kept in files, and when. */
export type StatedVersion = Omit<VersionEntry, 'author' | 'created'> & {
  readonly author: string | null
  readonly created: Date | null
  readonly state: VersionState
}

/** The same with its text as it was written. */
export type WholeVersion = StatedVersion & { readonly text: string }

/** A policy with the text of its latest version. */
export type PolicyView = PolicyEntry & { readonly text: string; readonly etag: string }

/** What a writer saw, as the preconditions of RFC 9110 section 13.1 say it: `absent` is `If-None-Match: *`. */
export type Precondition = { readonly ifMatch: string } | 'absent'

/** A new version. */
export type Draft = { readonly name: string; readonly text: string; readonly by: string; readonly precondition: Precondition }

/** What a version is to count for from now on. */
export type Activation = {
  readonly name: string
  /** Null with `shadow`: nothing is tried beside the active version any more. */
  readonly version: number | null
  readonly as: 'active' | 'shadow' | 'revoked'
  /** Kept with a revocation. */
  readonly reason?: string | undefined
  readonly by: string
  /** Refused with `policy-conflict` when the policy has another counter by now. */
  readonly expectedCounter?: number | undefined
}

/** Called with what is about to be written, before it is: what cannot be recorded does not happen. */
export type Recorder = (change: PolicyReference) => Promise<void>

/** Who may do these things is for the routes to ask. Each operation throws `policy-unknown` for a name that is nowhere. */
export type Policies = {
  /** Throws `not-ready` when nobody could confirm for half a minute that it still holds. */
  readonly snapshot: () => Snapshot
  readonly list: () => Promise<readonly PolicyEntry[]>
  readonly get: (name: string) => Promise<PolicyView>
  readonly versions: (name: string) => Promise<readonly StatedVersion[]>
  readonly version: (name: string, version: number) => Promise<WholeVersion>
  /** Throws `policy-invalid`, `policy-conflict`, `policy-managed-by-files`, `request-too-large` or `store-full`. */
  readonly put: (draft: Draft, record: Recorder) => Promise<{ readonly view: PolicyView; readonly outcome: 'created' | 'added' | 'same' }>
  /** Throws `policy-invalid`, `policy-conflict`, `policy-managed-by-files`, `policy-version-revoked`, `forbidden`. */
  readonly activate: (activation: Activation, record: Recorder) => Promise<PolicyEntry>
  /** A text as it would judge if it were the policy of this name; its version is 0. Throws `policy-invalid`. */
  readonly draft: (name: string, text: string) => ActivePolicy
  /** The policy as a version of it would judge. Throws `policy-invalid` where this service no longer takes the version. */
  readonly stored: (name: string, version: number) => Promise<ActivePolicy>
  /** Why no verdict can be given, for /readyz. */
  readonly problems: () => readonly string[]
  /** What an operator should look into; verdicts are given all the same. Without names: strangers read it. */
  readonly alarms: () => readonly string[]
  /** Ends the following of folder and store. */
  readonly stop: () => void
}
