import { failed, passed, skipped } from '../checks.ts'
import { equalBytes, hexOf } from '../der-values.ts'
import type { Check } from '../verifier.ts'
import { digest, digestBytes } from './algorithms.ts'
import type { PcrBank } from './claims.ts'
import type { TpmRigour } from './context.ts'
import { formatPcrs, formatSelections, type PcrSelection } from './pcr-selection.ts'
import type { ReadQuote } from './read.ts'

/** Values of PCRs that the TPM signed. */
export type BankValues = ReadonlyMap<number, Uint8Array>

/** TPM-34 to 37. `bank` and `values` are there only when none of these checks failed. */
export type PcrJudgement = {
  readonly checks: readonly Check[]
  readonly quoted?: { readonly bank: PcrBank; readonly values: ReadonlyMap<PcrBank, BankValues> }
  /** A PCR that two quotes give two values (TPM-38): `sha256:10`. */
  readonly conflict: string | undefined
}

const BANK = { id: 'TPM-34', title: 'A bank that may be relied on is quoted', code: 'tpm-pcr-bank-weak' } as const
const REQUIRED = { id: 'TPM-35', title: 'The PCRs that are needed are quoted', code: 'tpm-pcr-not-quoted' } as const
const VALUES = {
  id: 'TPM-36',
  title: 'PCR values are those of the signed selection, no more and no less',
  code: 'tpm-pcr-values-mismatch-selection',
} as const
const DIGEST = { id: 'TPM-37', title: 'PCR values have the digest that was signed', code: 'tpm-pcr-digest-mismatch' } as const

/** The signed selections are the authority over what values are of; labels only say where to look (specification tpm.md section 4). */
export function judgePcrs(quotes: readonly ReadQuote[], { banks, requiredPcrs }: Pick<TpmRigour, 'banks' | 'requiredPcrs'>): PcrJudgement {
  const selected = selectedBanks(quotes)
  const permitted = banks.filter((name) => selected.has(name))
  const covers = (name: PcrBank): boolean => requiredPcrs.every((pcr) => selected.get(name)?.has(pcr) === true)
  const bank = permitted.find(covers) ?? permitted[0]
  const missing = requiredPcrs.filter((pcr) => bank === undefined || selected.get(bank)?.has(pcr) !== true)
  const strength = checkBank({ quotes, banks, bank, missing })
  const required = { ...REQUIRED, expected: formatPcrs(requiredPcrs) || 'none' }
  const coverage =
    missing.length === 0 ? passed(required, describe(quotes)) : failed(required, `${describe(quotes)}: not ${formatPcrs(missing)}`)
  const read = quotes.map(valuesOf)
  const { checks, isProven } = checkValues(quotes, read)
  const all = [strength, coverage, ...checks]
  const { values, conflict } = merged(read)
  const isSound = isProven && bank !== undefined && missing.length === 0
  return { checks: all, conflict, ...(isSound ? { quoted: { bank, values } } : {}) }
}

const describe = (quotes: readonly ReadQuote[]): string =>
  quotes.map(({ attest }) => formatSelections(attest.attested.pcrSelect)).join(', ')

function selectedBanks(quotes: readonly ReadQuote[]): ReadonlyMap<PcrBank, ReadonlySet<number>> {
  const selected = new Map<PcrBank, Set<number>>()
  for (const { bank, pcrs } of quotes.flatMap(({ attest }) => attest.attested.pcrSelect)) {
    if (bank === undefined) continue
    const known = selected.get(bank) ?? new Set()
    for (const pcr of pcrs) known.add(pcr)
    selected.set(bank, known)
  }
  return selected
}

type BankQuestion = {
  readonly quotes: readonly ReadQuote[]
  readonly banks: readonly PcrBank[]
  readonly bank: PcrBank | undefined
  readonly missing: readonly number[]
}

/** TPM-34. A weak bank beside a strong one is none of our business, unless it is all that a quote has of a PCR that is needed. */
function checkBank({ quotes, banks, bank, missing }: BankQuestion): Check {
  const rule = { ...BANK, expected: banks.join(', ') }
  if (bank === undefined) return failed(rule, describe(quotes))
  const beside = quotes.map(({ attest }) => attest.attested.pcrSelect).filter((selections) => selections.some((row) => row.bank === bank))
  const isWeak = ({ bank: name }: PcrSelection): boolean => name === undefined || !banks.includes(name)
  const weak = missing.filter((pcr) => beside.flat().some((row) => isWeak(row) && row.pcrs.includes(pcr)))
  return weak.length === 0 ? passed(rule, bank) : failed(rule, `${bank}, and ${formatPcrs(weak)} in a weaker bank only`)
}

type QuoteValues = { readonly banks: ReadonlyMap<PcrBank, BankValues>; readonly inOrder: readonly Uint8Array[] }

/** The values of one quote by its signed selection, in the order of the digest; otherwise what is wrong with them. */
function valuesOf({ attest, pcrs }: ReadQuote): QuoteValues | string {
  const banks = new Map<PcrBank, BankValues>()
  const inOrder: Uint8Array[] = []
  for (const selection of attest.attested.pcrSelect) {
    const values = valuesOfBank(selection, pcrs)
    if (typeof values === 'string') return values
    banks.set(values.bank, values.values)
    inOrder.push(...values.values.values())
  }
  const sent = Object.values(pcrs).reduce((sum, values) => sum + Object.keys(values).length, 0)
  return sent === inOrder.length ? { banks, inOrder } : `${sent} values for ${inOrder.length} selected PCRs`
}

function valuesOfBank(
  { bank, pcrs }: PcrSelection,
  sent: ReadQuote['pcrs'],
): { readonly bank: PcrBank; readonly values: BankValues } | string {
  if (bank === undefined) return 'a bank that is not known here'
  const given = sent[bank] ?? {}
  const values = new Map<number, Uint8Array>()
  for (const pcr of pcrs) {
    const value = given[String(pcr)]
    if (value?.length !== digestBytes(bank)) return `${bank}:${pcr} ${value === undefined ? 'missing' : `of ${value.length} bytes`}`
    values.set(pcr, value)
  }
  return { bank, values }
}

/** TPM-36 and 37. */
function checkValues(
  quotes: readonly ReadQuote[],
  read: readonly (QuoteValues | string)[],
): { readonly checks: readonly Check[]; readonly isProven: boolean } {
  const expected = describe(quotes)
  const bad = read.findIndex((values) => typeof values === 'string')
  const fault = read[bad]
  if (typeof fault === 'string') {
    return { checks: [failed({ ...VALUES, expected }, `quote ${bad + 1}: ${fault}`), skipped(DIGEST, 'not reached')], isProven: false }
  }
  const digests = quotes.map((quote, i) => digestOf(quote, read[i]))
  const rule = { ...DIGEST, expected: quotes.map(({ attest }) => hexOf(attest.attested.pcrDigest)).join(', ') }
  const isProven = quotes.every(({ attest }, i) => isDigest(attest.attested.pcrDigest, digests[i]))
  const actual = digests.map((found) => (found === undefined ? 'none' : hexOf(found))).join(', ')
  return { checks: [passed({ ...VALUES, expected }, expected), isProven ? passed(rule, actual) : failed(rule, actual)], isProven }
}

const isDigest = (signed: Uint8Array, found: Uint8Array | undefined): boolean => found !== undefined && equalBytes(signed, found)

/** The digest of values by the hash of the signature, whatever the bank is. */
const digestOf = ({ scheme }: ReadQuote, values: QuoteValues | string | undefined): Uint8Array | undefined =>
  typeof scheme === 'object' && typeof values === 'object' ? digest(scheme.hash, Buffer.concat(values.inOrder)) : undefined

/** The values of all quotes, bank by bank. */
function merged(read: readonly (QuoteValues | string)[]): {
  readonly values: ReadonlyMap<PcrBank, BankValues>
  readonly conflict: string | undefined
} {
  const values = new Map<PcrBank, Map<number, Uint8Array>>()
  let conflict: string | undefined
  for (const [bank, pcr, value] of read.flatMap(entriesOf)) {
    const known = values.get(bank) ?? new Map<number, Uint8Array>()
    const other = known.get(pcr)
    if (other !== undefined && !equalBytes(other, value)) conflict ??= `${bank}:${pcr}`
    values.set(bank, known.set(pcr, value))
  }
  return { values, conflict }
}

const entriesOf = (read: QuoteValues | string): readonly (readonly [PcrBank, number, Uint8Array])[] =>
  typeof read === 'string'
    ? []
    : [...read.banks].flatMap(([bank, values]) => [...values].map(([pcr, value]) => [bank, pcr, value] as const))
