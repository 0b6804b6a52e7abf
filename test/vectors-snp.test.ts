import { describe, expect, it } from 'vitest'
import { PROBLEMS, isProblemCode } from '../src/verifiers/problems.ts'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import { snpCases, agrees, type SnpCase } from './snp-cases.ts'
import { attempt, bytesOf, evidenceOf, trialOf, verdictOf } from './snp-in-process.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? snpCases() : []
const reports = cases.filter((vector) => vector.class === 'structure-or-crypto' || vector.class === 'crl')
const policies = cases.filter((vector) => vector.class === 'policy')

/** Codes that are asked with or without a policy. */
const isOfGenuineness = (code: string): boolean =>
  isProblemCode(code) && ['malformed', 'not-genuine', 'undecided'].includes(PROBLEMS[code].kind)

describe.skipIf(cases.length === 0)('SNP vectors', () => {
  it('are all there', () => {
    const count = (set: SnpCase['set']): number => cases.filter((vector) => vector.set === set).length
    // 56 real cases, two of them at a second date, one also as configfs-tsm and with its table alone; 128 synthetic.
    expect([count('real'), count('synthetic')]).toEqual([60, 128])
  })

  it.each(reports)('$name', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), trialOf(vector))
    expect(agrees(vector, verdictOf(outcome), outcome.codes), `found ${outcome.codes.join(', ') || 'nothing wrong'}`).toBe(true)
    expect(outcome.finding?.claims !== undefined).toBe(vector.expected.verdict === 'pass')
  })

  it.each(policies)('$name is genuine', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), trialOf(vector))
    const genuine = !vector.expected.codes.some(isOfGenuineness)
    expect(verdictOf(outcome), outcome.codes.join(', ')).toBe(genuine ? 'pass' : 'fail')
    if (!genuine) expect(agrees(vector, 'fail', outcome.codes)).toBe(true)
  })

  const accepted = reports.filter(({ expected, evidence }) => expected.verdict === 'pass' && evidence.type === 'snp')

  it.each(accepted)('$name with CA certificates beside it', async (vector) => {
    const evidence = evidenceOf(vector.evidence)
    if (evidence.type !== 'snp') throw new Error('not snp')
    const outcome = await attempt(
      { ...evidence, certificates: [...evidence.certificates, ...vector.authorities.map(bytesOf)] },
      trialOf(vector),
    )
    expect(verdictOf(outcome), outcome.codes.join(', ')).toBe('pass')
  })

  it.each(accepted.filter(({ set }) => set === 'synthetic'))('$name is nothing to AMD’s pinned roots', async (vector) => {
    const outcome = await attempt(evidenceOf(vector.evidence), { ...trialOf(vector), anchors: pinnedAnchors })
    expect(verdictOf(outcome)).toBe('fail')
    expect(outcome.codes).toContain('snp-chain-invalid')
  })

  it.each(accepted.filter(({ set }) => set === 'synthetic'))(
    '$name is refused by a production process, whatever its anchors',
    async (vector) => {
      const outcome = await attempt(evidenceOf(vector.evidence), trialOf(vector, { mode: 'production' }))
      expect(verdictOf(outcome)).toBe('fail')
      expect(outcome.codes).toContain('snp-root-untrusted')
    },
  )

  it.each(accepted)('$name says what the manifest decoded', async (vector) => {
    const { finding } = await attempt(evidenceOf(vector.evidence), trialOf(vector))
    const claims = finding?.claims?.snp
    const { decoded = {} } = vector
    const same = [
      'version',
      'guest_svn',
      'family_id',
      'image_id',
      'vmpl',
      'signature_algo',
      'report_data',
      'measurement',
      'host_data',
    ] as const
    const alike = ['id_key_digest', 'author_key_digest', 'report_id', 'report_id_ma', 'current_version', 'committed_version'] as const
    for (const field of [...same, ...alike]) expect(claims?.[field], field).toEqual(decoded[field])
    expect(BigInt(claims?.policy.value ?? '-1')).toBe(BigInt(String(decoded['policy'])))
    expect(BigInt(claims?.platform_info.value ?? '-1')).toBe(BigInt(String(decoded['platform_info'])))
    expect(claims?.signing_key.toUpperCase()).toBe(decoded['signing_key'])
    expect(claims?.reported_tcb).toMatchObject(partsOf(decoded['reported_tcb_parts']))
  })
})

/** The parts of a TCB under our names. */
function partsOf(decoded: unknown): Record<string, number> {
  const names: Record<string, string> = { bl: 'bootloader', tee: 'tee', snp: 'snp', ucode: 'microcode', fmc: 'fmc' }
  const parts = Object.entries(decoded as Record<string, number>)
  return Object.fromEntries(parts.flatMap(([name, value]) => (names[name] === undefined ? [] : [[names[name], value]])))
}
