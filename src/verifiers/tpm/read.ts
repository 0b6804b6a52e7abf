import { failed, hasOutcome, passed, refusal, skipped } from '../checks.ts'
import { attempt } from '../der-attempt.ts'
import { AttestationError, type ProblemCode } from '../problems.ts'
import type { Check, Memo, TpmEvidence, TpmQuote } from '../verifier.ts'
import { readAk } from './ak.ts'
import { parseQuote, type QuoteAttest } from './attest.ts'
import type { AkFact } from './facts.ts'
import { formatSelections, selectionFault } from './pcr-selection.ts'
import {
  checkLength,
  formatScheme,
  parseSignature,
  schemeOf,
  verifySignature,
  type SchemeIds,
  type SigningScheme,
  type TpmSignature,
} from './tpm-signature.ts'

/** A quote of sound structure, believed in nothing but what the checks beside it say. */
export type ReadQuote = {
  readonly attest: QuoteAttest
  readonly signature: TpmSignature
  /** What the signature is of, or why that is not accepted (TPM-14). */
  readonly scheme: SigningScheme | 'weak' | 'unsupported'
  readonly pcrs: TpmQuote['pcrs']
}

/** Evidence of sound structure, with what could be proven of it alone (TPM-02 to 14, 16, 17, 33). */
export type TpmReading = {
  readonly quotes: readonly ReadQuote[]
  /** undefined where a check failed, or where no key can be read. */
  readonly ak: AkFact | undefined
  readonly checks: readonly Check[]
}

/** Rules of structure: what fails them ends the reading. */
type StructureRule = { readonly id: string; readonly title: string; readonly code: ProblemCode; readonly expected: string }

const COUNT: StructureRule = { id: 'TPM-01', title: 'There are one to four quotes', code: 'evidence-malformed', expected: '1 to 4' }
const MAX_QUOTES = 4

/** TPM-02 to 05; TPM-06 has the code of TPM-02 and is told there when it fails. */
const ATTEST_RULES: readonly StructureRule[] = [
  { id: 'TPM-02', title: 'TPMS_ATTEST is read to its end', code: 'tpm-attest-malformed', expected: 'every field, within its bounds' },
  { id: 'TPM-03', title: 'Nothing follows the attestation', code: 'tpm-attest-trailing-bytes', expected: 'no byte more' },
  { id: 'TPM-04', title: 'The TPM made the structure', code: 'tpm-attest-magic-invalid', expected: '0xff544347' },
  { id: 'TPM-05', title: 'The attestation is a quote', code: 'tpm-attest-type-not-quote', expected: '0x8018' },
]
const SAFE = { id: 'TPM-06', title: 'The clock is safe or not, and nothing else', expected: '0 or 1' }
const SIGNATURE: StructureRule = {
  id: 'TPM-16',
  title: 'TPMT_SIGNATURE is read to its end, and as long as the key makes it',
  code: 'tpm-signature-malformed',
  expected: 'every field, the length of the key',
}
const SELECTION: StructureRule = {
  id: 'TPM-33',
  title: 'The PCR selection is well formed',
  code: 'tpm-pcr-selection-invalid',
  expected: 'each bank once, each with a PCR of 0 to 23',
}

const HASH = {
  id: 'TPM-14',
  title: 'Signatures are of a kind and over a hash that is accepted',
  expected: 'SHA-256, SHA-384 or SHA-512',
} as const
const SCHEME = {
  id: 'TPM-13',
  title: 'Signatures are of the scheme and hash of the key',
  code: 'tpm-signature-scheme-mismatch',
} as const
const VERIFIES = {
  id: 'TPM-17',
  title: 'Signatures verify over the attestations as they came',
  code: 'tpm-signature-invalid',
  expected: 'a signature of the attestation key',
} as const

/** Reads quotes, key and signatures, and proves nothing of them (TPM-01 to 12, 16 and 33). Throws AttestationError (kind malformed) with the checks before it. */
export function readStructure(evidence: TpmEvidence, memo: Memo | undefined): TpmReading {
  const { attests, checks: structure } = readAttests(evidence)
  const { fact: ak, checks: key } = readAk({ akPublic: evidence.akPublic, certificate: evidence.akCertificates[0] }, memo, structure)
  const before = [...structure, ...key]
  const signatures = evidence.quotes.map(({ signature }, i) => readSignature(signature, { at: `quotes[${i}].signature`, ak, before }))
  const checks = checkSelections(attests, [...before, passed(SIGNATURE, signatures.map(formatScheme).join(', '))])
  return { quotes: signatures.flatMap((signature, i) => quoteOf(evidence, { signature, attest: attests[i], at: i })), ak, checks }
}

/** Reads them, and proves what it can. Throws as {@link readStructure} does. */
export async function readEvidence(evidence: TpmEvidence, memo: Memo | undefined): Promise<TpmReading> {
  const { quotes, ak, checks } = readStructure(evidence, memo)
  return { quotes, ak, checks: [...checks, ...(await checkSignatures(quotes, ak))] }
}

type QuoteParts = { readonly attest: QuoteAttest | undefined; readonly signature: TpmSignature; readonly at: number }

const quoteOf = ({ quotes }: TpmEvidence, { attest, signature, at }: QuoteParts): readonly ReadQuote[] => {
  const pcrs = quotes[at]?.pcrs
  return attest === undefined || pcrs === undefined ? [] : [{ attest, signature, scheme: schemeOf(signature), pcrs }]
}

function readAttests({ quotes }: TpmEvidence): { readonly attests: readonly QuoteAttest[]; readonly checks: readonly Check[] } {
  const count = `${quotes.length} quotes`
  if (quotes.length < 1 || quotes.length > MAX_QUOTES) throw refusal({ ...COUNT, at: 'quotes' }, count, [])
  const before = [passed(COUNT, count)]
  const attests = quotes.map(({ quote }, i) => {
    const at = `quotes[${i}].quote`
    return orRefuse(() => parseQuote(quote, at), [...ATTEST_RULES, SELECTION], before)
  })
  const lengths = attests.map(({ bytes }) => `${bytes.length} bytes`).join(', ')
  return { attests, checks: [...before, ...[...ATTEST_RULES, SAFE].map((rule) => passed(rule, lengths))] }
}

/** What reading gives; its error as the failed check of the rule that has its code. */
function orRefuse<T>(read: () => T, rules: readonly StructureRule[], before: readonly Check[]): T {
  const result = attempt(read)
  if (!(result instanceof AttestationError)) return result
  const rule = rules.find(({ code }) => code === result.code)
  if (rule === undefined) throw result
  throw refusal({ ...rule, at: result.at ?? 'quotes' }, result.message, before)
}

type SignatureScope = { readonly at: string; readonly ak: AkFact | undefined; readonly before: readonly Check[] }

const readSignature = (bytes: Uint8Array, { at, ak, before }: SignatureScope): TpmSignature =>
  orRefuse(
    () => {
      const signature = parseSignature(bytes, at)
      if (ak !== undefined) checkLength(signature, ak.key, at)
      return signature
    },
    [SIGNATURE],
    before,
  )

function checkSelections(attests: readonly QuoteAttest[], before: readonly Check[]): readonly Check[] {
  const found = attests.map(({ attested }) => formatSelections(attested.pcrSelect))
  attests.forEach(({ attested }, i) => {
    const fault = selectionFault(attested.pcrSelect)
    if (fault !== undefined) throw refusal({ ...SELECTION, at: `quotes[${i}].quote.pcrSelect` }, fault, before)
  })
  return [...before, passed(SELECTION, found.join(', '))]
}

/** TPM-14, 13 and 17, in this order: a signature over SHA-1 is told as that, whatever the key is for. */
async function checkSignatures(quotes: readonly ReadQuote[], ak: AkFact | undefined): Promise<readonly Check[]> {
  const checks = [checkHashes(quotes, ak), checkSchemes(quotes, ak)]
  if (ak === undefined || hasOutcome(checks, 'fail')) return [...checks, skipped(VERIFIES, ak === undefined ? 'no key' : 'not reached')]
  const verified = await Promise.all(quotes.map(async (quote) => verifyQuote(quote, ak)))
  const bad = verified.indexOf(undefined)
  return [...checks, bad === -1 ? passed(VERIFIES, verified.join(', ')) : failed(VERIFIES, `quote ${bad + 1} does not verify`)]
}

const verifyQuote = async ({ attest, signature, scheme }: ReadQuote, { key }: AkFact): Promise<string | undefined> =>
  typeof scheme === 'string' ? undefined : verifySignature({ signature, scheme, data: attest.bytes }, key)

/** TPM-14, of the signatures and of the scheme that the key is bound to. */
function checkHashes(quotes: readonly ReadQuote[], ak: AkFact | undefined): Check {
  const bound = ak?.area === undefined ? [] : [ak.area]
  const actual = [...quotes.map(({ signature }) => formatScheme(signature)), ...bound.map((area) => `key ${formatScheme(area)}`)].join(', ')
  const schemes = [...quotes.map(({ scheme }) => scheme), ...bound.map(schemeOf)]
  if (schemes.includes('weak')) return failed({ ...HASH, code: 'tpm-signature-hash-weak' }, actual)
  return schemes.includes('unsupported') ? failed({ ...HASH, code: 'tpm-signature-alg-unsupported' }, actual) : passed(HASH, actual)
}

/** TPM-13. Without a public area the key tells its kind, and its issuer the rest. */
function checkSchemes(quotes: readonly ReadQuote[], ak: AkFact | undefined): Check {
  const actual = quotes.map(({ signature }) => formatScheme(signature)).join(', ')
  if (ak === undefined) return skipped(SCHEME, 'no key')
  const { area, key } = ak
  const rule = { ...SCHEME, expected: area === undefined ? key.algorithm : formatScheme(area) }
  const holds = quotes.every(({ signature }) => signature.kind === key.kind && (area === undefined || isBound(signature, area)))
  return holds ? passed(rule, actual) : failed(rule, actual)
}

const isBound = (signature: TpmSignature, { scheme, hash }: SchemeIds): boolean => signature.scheme === scheme && signature.hash === hash
