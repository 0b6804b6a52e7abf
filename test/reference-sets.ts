import { readReferenceSet, type ReferenceDocument } from '../src/appraisal/reference-values.ts'
import type { VersionStanding } from '../src/appraisal/reference-standing.ts'
import type { ReferenceVersion } from '../src/appraisal/resolve-references.ts'

/** A digest that no other number gives, of `bytes` bytes. */
export const digestOf = (number: number, bytes = 48): string =>
  (number + 1)
    .toString(16)
    .padStart(8, '0')
    .padStart(bytes * 2, '5a')

/** The members that every set has. */
export const DESCRIBED = {
  owner: 'Platform team',
  provenance: { by: 'release pipeline', from: 'image build 4711', at: '2026-01-01T00:00:00Z' },
} as const

/** The text of a set named `nodes`, with launch digests of these numbers. */
export const setText = (numbers: readonly number[], members: object = {}): string =>
  JSON.stringify({ name: 'nodes', ...DESCRIBED, snp: { measurements: numbers.map((number) => digestOf(number)) }, ...members })

/** The content of a set as it is read from a text. */
export const documentOf = (text: string): ReferenceDocument => readReferenceSet(text, 'nodes.yaml').document

/** One version of the set of {@link setText}. */
export const versionOf = (version: number, standing: VersionStanding, text = setText([version])): ReferenceVersion => ({
  version,
  standing,
  ...readReferenceSet(text, 'nodes.yaml'),
})
