import { hash } from 'node:crypto'
import type { Answer, Call } from './call.ts'

/** Whether a caller has this already (RFC 9110 section 13.1.2). */
export function hasSeen(call: Call, etag: string): boolean {
  const tags = (call.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  return tags.includes(etag) || tags.includes('*')
}

/**
 * An answer with an ETag of its own: that of the version, and what tells this body from any other (another media type, another version in
 * force). Whoever has it is told so, and nothing else.
 */
export function revalidated(call: Call, answer: Answer, version: string): Answer {
  const etag = `${version.slice(0, -1)}-${hash('sha256', answer.body, 'hex').slice(0, BODY_DIGITS)}"`
  const validators = { etag, vary: 'Accept' }
  if (hasSeen(call, etag)) return { status: 304, headers: validators, body: '' }
  return { ...answer, headers: { ...answer.headers, ...validators } }
}

const BODY_DIGITS = 32
const OF_BODY = /^("[1-9][0-9]*-[0-9a-f]{64})-[0-9a-f]{32}"$/

/** The ETag of the version that an ETag of {@link revalidated} is about; any other as it is. */
export const versionTag = (etag: string): string => etag.replace(OF_BODY, '$1"')
