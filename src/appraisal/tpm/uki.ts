import type { PcrBank } from '../../verifiers/tpm/claims.ts'
import { PHASE_PATHS, PHASES, type BootPhase } from '../../verifiers/tpm/boot/phases.ts'
import { predictPcr11, UKI_SECTIONS, type UkiSection } from '../../verifiers/tpm/boot/uki.ts'
import { judge, notAsked, oneOf } from '../check.ts'
import type { TpmPolicy } from '../policy.ts'
import { asked, type TpmRule } from './rule.ts'

type Uki = NonNullable<TpmPolicy['uki']>

const IMAGE = asked('TPM-59', 'PCR 11 is that of a unified kernel image on the policy’s list', [
  'tpm-uki-measurement-mismatch',
  'tpm.uki.images',
])
const PHASE = asked('TPM-59', 'The boot is in a phase that the policy accepts', ['tpm-boot-phase-not-allowed', 'tpm.uki.phases'])

/** In characters of hex. */
const DIGITS: Readonly<Record<PcrBank, number>> = { sha1: 40, sha256: 64, sha384: 96, sha512: 128 }

/** Images whose digests are of this bank; those of others say nothing of it. */
const imagesOf = ({ images }: Uki, bank: PcrBank): readonly (readonly UkiSection[])[] =>
  images
    .filter(({ sections }) => Object.values(sections).every((digest) => digest.length === DIGITS[bank]))
    .map(({ sections }) =>
      UKI_SECTIONS.flatMap((name) => {
        const digest = sections[name]
        return digest === undefined ? [] : [{ name, digest: Buffer.from(digest, 'hex') }]
      }),
    )

const isPhase = (text: string): text is BootPhase => PHASES.some((phase) => phase === text)

const phasesOf = (path: string): readonly BootPhase[] => path.split(':').filter(isPhase)

/** PCR 11 in hex behind these phases of an image. */
const reached = (image: readonly UkiSection[], phases: readonly BootPhase[], bank: PcrBank): string =>
  Buffer.from((predictPcr11(image, phases, bank).at(-1) ?? { value: new Uint8Array() }).value).toString('hex')

/** Policies never change, and the same few images are asked for at every appraisal. */
const known = new WeakMap<Uki, Map<PcrBank, Predicted>>()

type Predicted = { readonly accepted: ReadonlySet<string>; readonly elsewhere: ReadonlySet<string> }

function predicted(uki: Uki, bank: PcrBank): Predicted {
  const held = known.get(uki) ?? new Map<PcrBank, Predicted>()
  known.set(uki, held)
  const made = held.get(bank) ?? predict(uki, bank)
  held.set(bank, made)
  return made
}

function predict(uki: Uki, bank: PcrBank): Predicted {
  const images = imagesOf(uki, bank)
  return {
    accepted: new Set(images.flatMap((image) => uki.phases.map((path) => reached(image, phasesOf(path), bank)))),
    elsewhere: new Set(images.flatMap((image) => [[], ...PHASE_PATHS].map((phases) => reached(image, phases, bank)))),
  }
}

/** TPM-59. By prediction, so that no log is needed: PCR 11 grows at run time, where no firmware logs it (section 11). */
export const unifiedKernelImage: TpmRule = ({ claims: { pcrs, bank }, policy: { uki } }) => {
  const actual = pcrs['11'] ?? 'not quoted'
  if (uki === undefined) return [notAsked(IMAGE, actual), notAsked(PHASE, actual)]
  const { accepted, elsewhere } = predicted(uki, bank)
  const [isAccepted, isImage] = [accepted.has(actual), accepted.has(actual) || elsewhere.has(actual)]
  const image = judge(IMAGE, isImage, { actual, expected: `one of ${uki.images.length} images` })
  return isImage ? [image, judge(PHASE, isAccepted, { actual, expected: oneOf(uki.phases) })] : [image, notAsked(PHASE, actual)]
}
