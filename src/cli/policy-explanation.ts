import type { ActivePolicy } from '../appraisal/policy-set.ts'
import { columns } from './output.ts'
import type { Said } from './policy-kinds.ts'
import { closedBecause, OPTIONS, TECHNOLOGIES, technologyOf, valueAt } from './policy-options.ts'

/** One option of a policy in words. */
type Sentence = Said & { readonly path: string }

/** What a policy says of one kind of evidence, or (`general`) of all: why it refuses everything, and each option in words unless it does not take the kind. */
export type Chapter = {
  readonly about: 'general' | (typeof TECHNOLOGIES)[number]
  readonly refusesAll?: string
  readonly sentences: readonly Sentence[]
}

/** A policy in words, option by option, defaults included: chapters in the order of the document. */
export function explain({ document }: ActivePolicy): readonly Chapter[] {
  const sentences = OPTIONS.map(([path, noun, how]): Sentence => ({ path, ...how.say(noun, valueAt(document, path)) }))
  const about = (technology: Chapter['about']) => sentences.filter(({ path }) => (technologyOf(path) ?? 'general') === technology)
  return [
    { about: 'general', sentences: about('general') },
    ...TECHNOLOGIES.map((technology): Chapter => {
      const refusesAll = closedBecause(document, technology)
      const chapter = { about: technology, sentences: document.evidence.includes(technology) ? about(technology) : [] }
      return refusesAll === undefined ? chapter : { ...chapter, refusesAll }
    }),
  ]
}

const TITLES = { general: 'All evidence', snp: 'SEV-SNP reports', tdx: 'TDX quotes', sgx: 'SGX quotes', tpm: 'TPM quotes' } as const

const PARTS: readonly (readonly [part: Said['part'], heading: string])[] = [
  ['weakens', 'weakened on purpose'],
  ['asks', 'asked for'],
  ['accepts', 'accepted'],
  ['leaves', 'not asked'],
]

/** The same for people. */
export const explanationText = (policy: ActivePolicy): string =>
  [`${policy.reference.name}, sha256 ${policy.reference.sha256}`, ...explain(policy).map(chapterText)].join('\n\n')

function chapterText({ about, refusesAll, sentences }: Chapter): string {
  const parts = PARTS.map(([part, heading]) => [heading, sentences.filter((sentence) => sentence.part === part)] as const)
  const told = parts.filter(([, said]) => said.length > 0).map(([heading, said]) => `  ${heading}\n${sentenceLines(said)}`)
  return [TITLES[about], ...(refusesAll === undefined ? [] : [`  all are refused: ${refusesAll}`]), ...told].join('\n')
}

const sentenceLines = (said: readonly Sentence[]): string =>
  columns(
    said.map(({ path, text }) => [path, text]),
    4,
  )
