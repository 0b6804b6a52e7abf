import { describe, expect, it } from 'vitest'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import { PROBLEMS, isProblemCode } from '../src/verifiers/problems.ts'
import type { SnpClaims } from '../src/verifiers/snp/claims.ts'
import { agrees, snpCases, type SnpCase } from './snp-cases.ts'
import { attempt, bytesOf, evidenceOf, trialOf, verdictOf, type Outcome } from './snp-in-process.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? snpCases() : []
const reports = cases.filter((vector) => vector.class === 'structure-or-crypto' || vector.class === 'crl')
const policies = cases.filter((vector) => vector.class === 'policy')
const accepted = reports.filter(({ expected, evidence }) => expected.verdict === 'pass' && evidence.type === 'snp')
const synthetic = accepted.filter(({ set }) => set === 'synthetic')

const sizeOf = (set: SnpCase['set']): number => cases.filter((vector) => vector.set === set).length

/** The verdict, and the codes unless they are among those that the manifest names. */
const shownOf = (vector: SnpCase, outcome: Outcome): readonly string[] => {
  const verdict = verdictOf(outcome)
  return [verdict, agrees(vector, verdict, outcome.codes) ? 'as the manifest says' : outcome.codes.join(', ')]
}

/** Codes that are asked with or without a policy. */
const isOfGenuineness = (code: string): boolean =>
  isProblemCode(code) && ['malformed', 'not-genuine', 'undecided'].includes(PROBLEMS[code].kind)

/** A policy case asks a policy: here its evidence must be genuine, unless what is wrong with it needs no policy. */
const withoutPolicy = (vector: SnpCase): SnpCase =>
  vector.expected.codes.some(isOfGenuineness) ? vector : { ...vector, expected: { verdict: 'pass', codes: [] } }

describe.skipIf(cases.length === 0)('SNP vectors', () => {
  it('are all there', () => {
    // 56 real cases, two of them at a second date, one also as configfs-tsm and with its table alone; 128 synthetic.
    expect([sizeOf('real'), sizeOf('synthetic')]).toEqual([60, 128])
  })

  it.each([...reports, ...policies.map(withoutPolicy)])('$name', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), trialOf(vector))
    expect(shownOf(vector, outcome)).toEqual([vector.expected.verdict, 'as the manifest says'])
  })

  it.each(accepted)('$name with CA certificates beside it', async (vector) => {
    const certificates = [...vector.authorities.map(bytesOf), ...(vector.vek === undefined ? [] : [bytesOf(vector.vek)])]
    const outcome = await attempt({ ...evidenceOf(vector.evidence), certificates } as never, trialOf(vector))
    expect(shownOf(vector, outcome)).toEqual(['pass', 'as the manifest says'])
  })

  it.each(synthetic)('$name is nothing to AMD’s pinned roots', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), { ...trialOf(vector), anchors: pinnedAnchors })
    expect([verdictOf(outcome), outcome.codes.includes('snp-chain-invalid')]).toEqual(['fail', true])
  })

  it.each(synthetic)('$name is refused by a production process, whatever its anchors', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), trialOf(vector, { mode: 'production' }))
    expect([verdictOf(outcome), outcome.codes.includes('snp-root-untrusted')]).toEqual(['fail', true])
  })

  it.each(accepted)('$name says what the manifest decoded', async (vector) => {
    const { finding } = await attempt(evidenceOf(vector.evidence), trialOf(vector))
    const claims = finding?.claims?.snp
    expect(vector.decoded).toMatchObject(claims === undefined ? { claims: 'none' } : asDecoded(claims))
  })
})

const BARE = ['version', 'guest_svn', 'family_id', 'image_id', 'vmpl', 'signature_algo', 'mask_chip_key', 'author_key_en'] as const
const HEX = ['report_data', 'measurement', 'host_data', 'id_key_digest', 'author_key_digest', 'report_id', 'report_id_ma'] as const

/** Claims in the manner of the manifest. */
function asDecoded(claims: SnpClaims): Record<string, unknown> {
  const { bootloader: bl, tee, snp, microcode: ucode, fmc } = claims.reported_tcb
  const same = [...BARE, ...HEX, 'current_version', 'committed_version'] as const
  return {
    ...Object.fromEntries(same.map((field) => [field, claims[field]])),
    policy: `0x${BigInt(claims.policy.value).toString(16)}`,
    platform_info: `0x${BigInt(claims.platform_info.value).toString(16)}`,
    signing_key: claims.signing_key.toUpperCase(),
    reported_tcb_parts: { bl, tee, snp, ucode, ...(fmc === undefined ? {} : { fmc }) },
  }
}
