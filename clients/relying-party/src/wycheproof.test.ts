import { describe, expect, it } from 'vitest'
import { vectorJson, vectorsPresent } from '../../../test/vectors.ts'
import { options, outcome } from '../test/lab.ts'
import { verifyAttestation } from './verify.ts'

type Test = { tcId: number; comment: string; jws: unknown; result: 'valid' | 'invalid' }
type Group = { comment: string; public?: object; private?: object; tests: Test[] }

const present = vectorsPresent()
const groupsOf = (file: string): readonly Group[] =>
  present ? (vectorJson(`wycheproof/${file}`) as { testGroups: Group[] }).testGroups : []

/** The key or key set of a group, as a service might publish it. */
const setOf = ({ public: published, private: secret }: Group): object => {
  const one = published ?? secret ?? {}
  return 'keys' in one ? one : { keys: [one] }
}

/** No vector is a token of Assay, whose `typ` none has; so a signature that holds is refused for that, and for nothing else. */
const HOLDS = 'type-not-allowed'
const verdictOf = (group: Group, { jws }: Test): Promise<string> =>
  outcome(verifyAttestation(jws as string, { ...options(), jwks: setOf(group) }))

const each = (code: string, ids: readonly number[]): Readonly<Record<number, string>> => Object.fromEntries(ids.map((id) => [id, code]))

/** Vectors whose verdict is not ours, by id: each with our answer. A surprise in either direction fails. */
const DEVIATIONS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  'json_web_signature_test.json': {
    // HMAC, and RSA or ECDSA with SHA-512 or P-521: Assay signs with none of them.
    ...each('algorithm-not-allowed', [1, 265, 266, 267, 269, 270, 271, 326, 327, 328, 347, 348, 351, 352, 357, 358, 359, 376, 377]),
    // An empty payload is no token.
    ...each('token-malformed', [259, 264, 268, 272, 320, 325]),
    // Characters that are not of base64url, which RFC 7515 section 2 does not let a reader skip.
    ...each('token-malformed', [372, 373]),
    // The key says PS256, the header PS384.
    ...each('key-unusable', [346, 350]),
  },
  'json_web_key_test.json': {
    ...each('algorithm-not-allowed', [2, 13, 14, 15]),
    // A key that the ROCA flaw made: its issuer should not have it, and a relying party does not look for it.
    ...each(HOLDS, [7]),
  },
}

describe.skipIf(!present)('Wycheproof through the kit', () => {
  it.each([
    ['json_web_signature_test.json', 401],
    ['json_web_key_test.json', 26],
  ] as const)('%s', async (file, count) => {
    const deviations = DEVIATIONS[file] ?? {}
    const groups = groupsOf(file)
    const verdicts = await Promise.all(
      groups.flatMap((group) => group.tests.map(async (test) => ({ ...test, verdict: await verdictOf(group, test) }))),
    )
    expect(verdicts).toHaveLength(count)
    const actual = verdicts.filter(({ result, verdict }) => (result === 'valid') !== (verdict === HOLDS))
    expect(Object.fromEntries(actual.map(({ tcId, verdict }) => [tcId, verdict]))).toEqual(deviations)
  })
})
