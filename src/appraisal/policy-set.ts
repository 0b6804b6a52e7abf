import type { PolicyReference } from './appraisal.ts'
import type { AppraisalPolicy } from './policy.ts'

/** A policy as it judges now, with the name by which tokens and audit lines refer to it. */
export type ActivePolicy = { readonly reference: PolicyReference; readonly document: AppraisalPolicy }

/** The policies of this process: one snapshot, by name. */
export type PolicySet = { readonly get: (name: string) => ActivePolicy | undefined; readonly all: () => readonly ActivePolicy[] }
