import { readJson } from '../verifiers/strict-json.ts'

/**
 * Depth: design section 3; our own messages need six levels. Marks: a request of eight items with sixteen certificates each has under 1,000;
 * two megabytes of tiny members would hold the process for a third of a second.
 */
const BODY = { code: 'request-malformed', at: 'body', depth: 32, marks: 20_000 } as const

/**
 * Reads a body as JSON. Refuses what `JSON.parse` would let through or repair: bytes that are not UTF-8, members that appear twice
 * (under any spelling), nesting over 32, and `__proto__`. Throws `request-malformed`.
 */
export const readStrictJson = (bytes: Uint8Array): unknown => readJson(bytes, BODY)

/** A list of 100,000 values has as many commas; only operators who may write documents send them. */
const DOCUMENT_MARKS = 400_000

/** Throws what {@link readStrictJson} throws, for an operators' document that is then read from its text. */
export const refuseLaxJson = (bytes: Uint8Array): void => void readJson(bytes, { ...BODY, marks: DOCUMENT_MARKS })
