import { z } from 'zod'
import { contentDigest } from './canonical.ts'
import { coherent } from './coherent.ts'
import type { ActivePolicy } from './policy-set.ts'
import type { AppraisalPolicy } from './policy.ts'
import { policyDocument } from './policy.ts'
import { withPreset } from './presets/extend.ts'
import { deepFreeze, readDocument } from './read-document.ts'

export { PolicyError, type PolicyProblem } from './read-document.ts'

const written = z.preprocess(withPreset, policyDocument).pipe(coherent)

/**
 * A policy from YAML or JSON text; `origin` says in errors where the text came from. Version is 1: files have no history.
 * Throws PolicyError with all problems at once: syntax, duplicate or unknown members, aliases, wrong values.
 */
export const readPolicy = (text: string, origin: string): ActivePolicy =>
  activePolicy(readDocument(text, { schema: written, what: 'policy', origin }))

/** A document with its name, version and the SHA-256 of its canonical JSON, defaults included, so that a change of a default changes the digest. */
export const activePolicy = (document: AppraisalPolicy): ActivePolicy =>
  deepFreeze({ reference: { name: document.name, version: 1, sha256: contentDigest(document) }, document })
