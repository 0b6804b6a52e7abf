import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { digestOf, documentOf, setText } from '../../test/reference-sets.ts'
import { vectorBytes, vectorsPresent } from '../../test/vectors.ts'
import { fromConstellation, toConstellation, type ConstellationImport } from './reference-constellation.ts'

const AT = new Date('2026-06-01T00:00:00Z')

const taking = (members: Partial<ConstellationImport> = {}): ConstellationImport => ({
  origin: 'measurements.json',
  expected: {},
  entry: {},
  set: { name: 'nodes', owner: 'Platform team', at: AT, sha256: 'ab'.repeat(32) },
  ...members,
})

const IMAGE = { version: 'v2.25.0', ref: '-', stream: 'stable' }

const text = (measurements: object, more: readonly object[] = []): string =>
  JSON.stringify({ ...IMAGE, list: [{ csp: 'QEMU', attestationVariant: 'qemu-tdx', measurements }, ...more] })

const value = (expected: string, warnOnly = false) => ({ expected, warnOnly })
const zero = '00'.repeat(48)

const TD = { 0: value(digestOf(0)), 1: value(digestOf(1)), 2: value(digestOf(2)), 3: value(zero, true), 4: value(zero, true) }
const PCRS = { 4: value(digestOf(4, 32)), 14: value('00'.repeat(32), true) }

describe('fromConstellation', () => {
  it('takes registers of TDX by their names, and keeps which are only warned about', () => {
    const { document } = fromConstellation(text(TD), taking())
    expect(document).toMatchObject({
      name: 'nodes',
      owner: 'Platform team',
      provenance: {
        by: 'Constellation',
        from: expect.stringContaining('image v2.25.0, ref -, stream stable, QEMU qemu-tdx'),
        at: AT.toISOString(),
      },
      tdx: { mr_td: [digestOf(0)], rtmr0: [digestOf(1)], rtmr1: [digestOf(2)], rtmr2: [zero], rtmr3: [zero] },
      warn_only: ['tdx.rtmr2', 'tdx.rtmr3'],
    })
  })

  it('takes the image that is expected, as far as it is', () => {
    expect(fromConstellation(text(TD), taking({ expected: IMAGE })).document.name).toBe('nodes')
    expect(fromConstellation(text(TD), taking({ expected: { ref: '-' } })).document.name).toBe('nodes')
  })

  it('takes PCRs by their numbers', () => {
    const { document } = fromConstellation(text(PCRS), taking())
    expect(document.tpm).toEqual({ pcrs: { sha256: { 4: [digestOf(4, 32)], 14: ['00'.repeat(32)] } } })
    expect(document.warn_only).toEqual(['tpm.pcrs.sha256.14'])
  })

  it.each<readonly [string, string, Partial<ConstellationImport> & { readonly says: RegExp }]>([
    ['another image', text(PCRS), { expected: { version: 'v2.26.0' }, says: /version: v2\.25\.0, not v2\.26\.0/ }],
    ['another stream', text(PCRS), { expected: { stream: 'nightly' }, says: /stream: stable, not nightly/ }],
    ['another provider', text(PCRS), { entry: { csp: 'AWS' }, says: /list: 0 entries fit; there are QEMU qemu-tdx/ }],
    [
      'several entries',
      text(PCRS, [{ csp: 'AWS', attestationVariant: 'aws-sev-snp', measurements: PCRS }]),
      { says: /list: 2 entries fit/ },
    ],
    ['a placeholder', text({ 4: value('1234'.repeat(16)) }), { says: /4: a placeholder/ }],
    ['an MRTD of zeros', text({ 0: value(zero) }), { says: /tdx\.mr_td\[0\]: all zeros/ }],
    ['a sixth register of TDX', text({ 5: value(digestOf(5)) }), { says: /tdx.*Unrecognized key|unknown/i }],
    ['a PCR that does not exist', text({ 24: value(digestOf(5, 32)) }), { says: /expected the number of a PCR/ }],
    ['two lengths', text({ 0: value(digestOf(0)), 1: value(digestOf(1, 32)) }), { says: /32 and of 48 bytes/ }],
    ['base64', text({ 4: value(Buffer.alloc(32, 1).toString('base64')) }), { says: /expected lower-case hex/ }],
    ['the first version', JSON.stringify({ csp: 'aws', image: 'v2.2.0', measurements: PCRS }), { says: /version: / }],
    ['no measurement', text({}), { says: /has no value/ }],
    ['a register without its word', text({ 4: { expected: digestOf(4, 32) } }), { says: /warnOnly/ }],
  ])('refuses %s', (_, document, { says, ...members }) => {
    expect(() => fromConstellation(document, taking(members))).toThrow(says)
  })

  it('chooses among several entries by provider and variant', () => {
    const several = text(TD, [{ csp: 'AWS', attestationVariant: 'aws-sev-snp', measurements: PCRS }])
    expect(fromConstellation(several, taking({ entry: { variant: 'aws-sev-snp' } })).document.tdx).toBeUndefined()
    expect(fromConstellation(several, taking({ entry: { csp: 'QEMU' } })).document.tpm).toBeUndefined()
  })
})

describe('toConstellation', () => {
  const image = { ...IMAGE, csp: 'QEMU', variant: 'qemu-tdx' }

  it.each([
    ['registers of TDX', TD],
    ['PCRs', PCRS],
  ])('gives back what was taken: %s', (_, registers) => {
    const { document } = fromConstellation(text(registers), taking())
    expect(JSON.parse(toConstellation(document, image))).toEqual(JSON.parse(text(registers)))
  })

  it.each([
    ['launch digests', setText([0]), /snp\.measurements: has no place/],
    ['two values of one register', setText([0], { snp: undefined, tdx: { rtmr1: [digestOf(0), digestOf(1)] } }), /tdx\.rtmr1: 2 values/],
    ['the TDX module', setText([0], { snp: undefined, tdx: { mr_seam: [digestOf(0)] } }), /tdx\.mr_seam: has no place/],
    [
      'registers of two kinds',
      setText([0], { snp: undefined, tdx: { mr_td: [digestOf(0)] }, tpm: { pcrs: { sha256: { 0: [digestOf(0, 32)] } } } }),
      /tpm: PCRs and registers/,
    ],
  ])('refuses %s rather than leave them out', (_, set, message) => {
    expect(() => toConstellation(documentOf(set), image)).toThrow(message)
  })
})

const listed = z.object({
  list: z.array(z.object({ csp: z.string(), attestationVariant: z.string(), measurements: z.record(z.string(), z.unknown()) })),
})

// Without the vectors there is nothing to read; the suite then stands skipped with one empty case.
const present = vectorsPresent()
const real = present
  ? new TextDecoder().decode(vectorBytes('sigstore/constellation-reference-values/measurements.json'))
  : JSON.stringify({ list: [{ csp: 'none', attestationVariant: 'none', measurements: {} }] })

describe.skipIf(!present)('Constellation’s own document', () => {
  const { list } = listed.parse(JSON.parse(real))

  it.each(list.map(({ csp, attestationVariant: variant, measurements }) => ({ csp, variant, measurements })))(
    'is taken and given back: $csp $variant',
    ({ csp, variant, measurements }) => {
      const { document } = fromConstellation(real, taking({ entry: { csp, variant } }))
      const back = listed.parse(JSON.parse(toConstellation(document, { ...IMAGE, csp, variant })))
      expect(back.list).toEqual([{ csp, attestationVariant: variant, measurements }])
    },
  )
})
