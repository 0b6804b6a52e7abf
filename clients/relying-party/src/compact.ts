import { base64url } from 'jose'
import { readObject, type JsonObject } from './json.ts'
import { AttestationRefused, type ProblemCode } from './problems.ts'

/** Characters of one part that a JWS may have, and the four kinds of last characters that leave no bits over (RFC 4648 section 3.5). */
const PART = /^[A-Za-z0-9_-]*$/
const WITHOUT_FOUR_BITS = /[AQgw]$/
const WITHOUT_TWO_BITS = /[AEIMQUYcgkosw048]$/

/** Whether a text is base64url in the only spelling of its bytes: no padding, no other characters, no bits left over. */
export function isCanonical(text: string): boolean {
  if (!PART.test(text)) return false
  const rest = text.length % 4
  if (rest === 0) return true
  return rest === 2 ? WITHOUT_FOUR_BITS.test(text) : rest === 3 && WITHOUT_TWO_BITS.test(text)
}

/** What is let through to jose, of which the header alone is read. */
export type Compact = { readonly header: JsonObject; readonly text: string }

type Bounds = { readonly length: number; readonly code: ProblemCode }

/**
 * The gate in front of jose (RFC 7515 section 7.1): a text of bounded length, three parts, none of them empty, each canonical base64url, and a header
 * that is one object of strict JSON. Nothing of the payload is looked at: it is not signed yet, as far as we know. Throws `code`.
 */
export function readCompact(text: unknown, { length, code }: Bounds): Compact {
  const refuse = (why: string): AttestationRefused => new AttestationRefused(code, { why })
  if (typeof text !== 'string') throw refuse('it is not a text')
  if (text.length > length) throw refuse(`it has more than ${length} characters`)
  const parts = text.split('.')
  if (parts.length !== 3) throw refuse('it has not three parts')
  if (!parts.every((part) => part !== '' && isCanonical(part))) throw refuse('a part is empty or not canonical base64url')
  return { header: headerOf(parts[0] ?? '', code), text }
}

/** Headers that were read before: those of one key are all alike. */
const known = new Map<string, JsonObject>()

/** As many keys as a service may have had. */
const MOST_KNOWN = 64

function headerOf(part: string, code: ProblemCode): JsonObject {
  const header = known.get(part) ?? readObject(base64url.decode(part), code)
  if (known.size >= MOST_KNOWN) known.clear()
  known.set(part, header)
  return header
}

/** Refuses a header that holds anything but these members: `crit`, `jku`, `x5u` and the like would ask us for more than we do. */
export function allowOnly(names: readonly string[], { header }: Compact, code: ProblemCode): void {
  const foreign = Object.keys(header).filter((name) => !names.includes(name))
  if (foreign.length > 0) throw new AttestationRefused(code, { foreign })
}
