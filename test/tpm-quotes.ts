import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import {
  attestBytes,
  nameOfArea,
  publicArea,
  quoteBody,
  tpmtSignature,
  type AreaFields,
  type AttestFields,
  type PcrValues,
  type Salt,
  type Selection,
  type TpmScheme,
} from '../src/simulator/tpm-bytes.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import type { PcrBank } from '../src/verifiers/tpm/claims.ts'
import { genuineTpm, type TpmRigour } from '../src/verifiers/tpm/context.ts'
import { genuineOnly, type Collateral, type Context, type Rigour, type TpmEvidence, type TpmQuote } from '../src/verifiers/verifier.ts'
import { attempt, contextAt, type Outcome } from './snp-in-process.ts'

/** An attestation key of a test, as no TPM made it. */
export type TestAk = { readonly privateKey: KeyObject; readonly publicKey: KeyObject; readonly scheme: TpmScheme }

/** Keys are made once a process; RSA takes its time. */
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })

/** One key for each kind of signature. */
export const TEST_AKS = {
  rsassa: { ...rsa, scheme: { scheme: 'rsassa', hash: 'sha256' } },
  rsapss: { ...rsa, scheme: { scheme: 'rsapss', hash: 'sha256' } },
  p256: { ...p256, scheme: { scheme: 'ecdsa', hash: 'sha256' } },
  p384: { ...p384, scheme: { scheme: 'ecdsa', hash: 'sha384' } },
} as const satisfies Record<string, TestAk>

/** What quotes of tests are made for. */
export const TEST_NONCE: Uint8Array = new Uint8Array(32).fill(0x5a)

const BANK_BYTES: Readonly<Record<PcrBank, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 }

/** A value for a PCR that is like no other. */
export const pcrValue = (bank: PcrBank, pcr: number): Uint8Array => new Uint8Array(BANK_BYTES[bank]).fill(0x10 + pcr)

/** Values for selections; a bank without a name has none. */
export function pcrValues(selections: readonly Selection[]): PcrValues {
  const values: { [bank in PcrBank]?: Record<string, Uint8Array> } = {}
  for (const { bank, pcrs } of selections) {
    if (typeof bank === 'number') continue
    values[bank] = { ...values[bank], ...Object.fromEntries(pcrs.map((pcr) => [String(pcr), pcrValue(bank, pcr)])) }
  }
  return values
}

/** How a quote of a test differs from a good one. */
export type QuoteChanges = {
  readonly ak?: TestAk
  readonly selections?: readonly Selection[]
  readonly attest?: Partial<AttestFields>
  /** Over what the digest is; the values sent are those of `sent`. */
  readonly values?: PcrValues
  readonly sent?: TpmQuote['pcrs']
  /** The scheme and hash that signature and digest are made by. */
  readonly scheme?: TpmScheme & { readonly salt?: Salt }
}

/** PCRs 0 to 7 of the SHA-256 bank. */
export const FIRMWARE_PCRS: readonly Selection[] = [{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }]

/** A signed quote. */
export function testQuote(changes: QuoteChanges = {}): TpmQuote {
  const { ak = TEST_AKS.p256, selections = FIRMWARE_PCRS, attest = {} } = changes
  const values = changes.values ?? pcrValues(selections)
  const scheme = changes.scheme ?? ak.scheme
  const quote = attestBytes({ extraData: TEST_NONCE, body: quoteBody(selections, values, scheme.hash), ...attest })
  return { quote, signature: tpmtSignature(ak.privateKey, scheme, quote), pcrs: changes.sent ?? values }
}

/** Evidence of quotes that one key signed, with its public area. */
export function testEvidence(
  quotes: readonly QuoteChanges[] = [{}],
  ak: TestAk = TEST_AKS.p256,
  area: Partial<AreaFields> = {},
): TpmEvidence {
  return {
    type: 'tpm',
    quotes: quotes.map((changes) => testQuote({ ak, ...changes })),
    akPublic: publicArea(ak.publicKey, { ...ak.scheme, ...area }),
    akCertificates: [],
  }
}

/** The name (hex) that evidence gives its key. */
export const akNameOf = ({ akPublic = new Uint8Array(0) }: TpmEvidence, nameAlg: PcrBank = 'sha256'): string =>
  Buffer.from(nameOfArea(nameAlg, akPublic)).toString('hex')

/** Rigour of a policy that enrols this key. */
export const enrolling = (evidence: TpmEvidence, more: Partial<TpmRigour> = {}): Rigour => ({
  ...genuineOnly,
  tpm: { ...genuineTpm, akTrust: ['enrolled-ak'], enrolledAks: [akNameOf(evidence)], ...more },
})

const NO_COLLATERAL: Collateral = { documents: new Map(), missing: new Map(), marks: new Map() }

/** What a trial differs in from one in which the key is enrolled and the nonce is that of tests. */
export type TpmTrial = { readonly rigour?: Partial<TpmRigour>; readonly context?: Partial<Context> }

/** Verifies evidence whose key is enrolled, for the nonce of tests. */
export const tpmOutcome = async (evidence: TpmEvidence, { rigour, context }: TpmTrial = {}): Promise<Outcome> =>
  attempt(evidence, {
    anchors: anchorsOf([]),
    collateral: NO_COLLATERAL,
    context: contextAt('2026-11-24T12:00:00Z', { extraData: TEST_NONCE, rigour: enrolling(evidence, rigour), ...context }),
  })
