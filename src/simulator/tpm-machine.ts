import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import type { PcrBank } from '../verifiers/tpm/claims.ts'
import { ekKeyOf } from '../verifiers/tpm/credential/ek-key.ts'
import { ekPublicOf } from '../verifiers/tpm/credential/ek-public.ts'
import { EK_PARAMETERS, EK_TEMPLATES, type EkTemplate } from '../verifiers/tpm/credential/templates.ts'
import {
  attestBytes,
  ENDORSEMENT,
  nameOfArea,
  publicArea,
  qualifiedName,
  quoteBody,
  tpmtSignature,
  type AreaFields,
  type AttestFields,
  type PcrValues,
  type Selection,
  type TpmScheme,
} from './tpm-bytes.ts'
import { activateCredential, type EkPair } from './tpm-credential.ts'
import { bankBytes, digestIn } from './tpm-log.ts'

/** Which endorsement key a TPM has, and by which template of the TCG. */
export type EkChoice = 'rsa-2048' | 'ecc-p256' | 'ecc-p384'
const EKS: Readonly<Record<EkChoice, EkTemplate['name']>> = { 'rsa-2048': 'L-1', 'ecc-p256': 'L-2', 'ecc-p384': 'H-3' }

/** Which attestation key is made. */
export type AkChoice = 'rsassa' | 'rsapss' | 'ecdsa-p256' | 'ecdsa-p384'
const AKS: Readonly<Record<AkChoice, { readonly scheme: TpmScheme; readonly keys: () => Pair }>> = {
  rsassa: { scheme: { scheme: 'rsassa', hash: 'sha256' }, keys: () => rsaPair() },
  rsapss: { scheme: { scheme: 'rsapss', hash: 'sha256' }, keys: () => rsaPair() },
  'ecdsa-p256': { scheme: { scheme: 'ecdsa', hash: 'sha256' }, keys: () => ecPair('P-256') },
  'ecdsa-p384': { scheme: { scheme: 'ecdsa', hash: 'sha384' }, keys: () => ecPair('P-384') },
}

type Pair = { readonly publicKey: KeyObject; readonly privateKey: KeyObject }
const rsaPair = (): Pair => generateKeyPairSync('rsa', { modulusLength: 2048 })
const ecPair = (namedCurve: string): Pair => generateKeyPairSync('ec', { namedCurve })

/** Where in the endorsement hierarchy an attestation key is: below the EK, or a primary one as Google's are (specification tpm.md section 3.3). */
export type AkPlace = 'below-ek' | 'primary'

/** An attestation key in a TPM. */
export type FakeAk = Pair & {
  readonly scheme: TpmScheme
  /** TPMT_PUBLIC. */
  readonly area: Uint8Array
  readonly name: Uint8Array
  readonly qualifiedName: Uint8Array
}

/** How a TPM was stopped: with TPM2_Shutdown, without, or to be resumed with its state. */
export type TpmStop = 'orderly' | 'unclean' | 'resume'

/** What is quoted, and fields of the signed structure that differ from the truth. */
type QuoteRequest = {
  readonly extraData: Uint8Array
  readonly selections: readonly Selection[]
  readonly attest?: Partial<AttestFields>
}

/** A quote as the TPM gives it, with the values of the PCRs that were selected. */
export type FakeQuote = { readonly quote: Uint8Array; readonly signature: Uint8Array; readonly pcrs: PcrValues }

/** A TPM in software, with as much of one as attestation asks for. Its keys exist in this process's memory only. */
export type FakeTpm = {
  readonly ek: EkPair
  /** TPMT_PUBLIC of the endorsement key, and SHA-256 of its SubjectPublicKeyInfo in lower-case hex. */
  readonly ekArea: Uint8Array
  readonly ekSpkiSha256: string
  readonly pcr: (bank: PcrBank, index: number) => Uint8Array
  /** TPM2_PCR_Extend in every bank. */
  readonly extend: (index: number, digest: (bank: PcrBank) => Uint8Array) => void
  readonly createAk: (choice: AkChoice, area?: Partial<AreaFields>, place?: AkPlace) => FakeAk
  /** TPM2_ActivateCredential. Throws where the credential is for another TPM or another key. */
  readonly activate: (ak: FakeAk, credential: { readonly blob: Uint8Array; readonly encryptedSecret: Uint8Array }) => Uint8Array
  readonly quote: (ak: FakeAk, request: QuoteRequest) => FakeQuote
  /** The TPM is off and on again. */
  readonly restart: (how: TpmStop) => void
}

/** A new TPM with these banks. */
export function fakeTpm(choice: EkChoice, banks: readonly PcrBank[]): FakeTpm {
  const { template, ek } = endorsementKey(choice)
  const key = ekKeyOf(ek.publicKey)
  if (key === undefined) throw new Error(`${choice} has no template`)
  const ekArea = ekPublicOf(template, key)
  const { nameHash } = EK_PARAMETERS[choice]
  const parent = qualifiedName(nameHash, ENDORSEMENT, nameOfArea(nameHash, ekArea))
  const registers = createRegisters(banks)
  const clock = createClock()
  return {
    ek,
    ekArea,
    ekSpkiSha256: key.spkiSha256,
    pcr: registers.value,
    extend: registers.extend,
    createAk: (akChoice, area = {}, place = 'below-ek') => attestationKey(akChoice, area, place === 'primary' ? ENDORSEMENT : parent),
    activate: ({ name }, credential) => activateCredential(ek, { ...credential, akName: name }),
    quote: (ak, request) => signedQuote(ak, request, { clock: clock.tick(), values: valuesOf(request.selections, registers.value) }),
    restart: (how) => {
      clock.restart(how)
      if (how !== 'resume') registers.reset()
    },
  }
}

function endorsementKey(choice: EkChoice): { readonly template: EkTemplate; readonly ek: EkPair } {
  const template = EK_TEMPLATES.find(({ name }) => name === EKS[choice])
  if (template === undefined) throw new Error(`there is no template ${EKS[choice]}`)
  const pair = choice === 'rsa-2048' ? rsaPair() : ecPair(choice === 'ecc-p256' ? 'P-256' : 'P-384')
  return { template, ek: { kind: choice, ...pair } }
}

function attestationKey(choice: AkChoice, area: Partial<AreaFields>, parent: Uint8Array): FakeAk {
  const { scheme, keys } = AKS[choice]
  const pair = keys()
  const bytes = publicArea(pair.publicKey, { ...scheme, ...area })
  const nameAlg = area.nameAlg ?? 'sha256'
  const name = nameOfArea(nameAlg, bytes)
  return { ...pair, scheme, area: bytes, name, qualifiedName: qualifiedName(nameAlg, parent, name) }
}

const PCRS = 24
/** PCRs 17 to 22 hold ones until a dynamic root of trust is launched (specification tpm.md section 4). */
const startOf = (bank: PcrBank, index: number): Uint8Array => new Uint8Array(bankBytes(bank)).fill(index > 16 && index < 23 ? 0xff : 0)

const at = (bank: PcrBank, index: number): string => `${bank}:${index}`

function createRegisters(banks: readonly PcrBank[]) {
  const values = new Map<string, Uint8Array>()
  const value = (bank: PcrBank, index: number): Uint8Array => values.get(at(bank, index)) ?? startOf(bank, index)
  return {
    value,
    reset: () => values.clear(),
    extend: (index: number, digest: (bank: PcrBank) => Uint8Array) => {
      if (index >= PCRS) throw new RangeError(`there is no PCR ${index}`)
      for (const bank of banks) values.set(at(bank, index), digestIn(bank, value(bank, index), digest(bank)))
    },
  }
}

type ClockFields = Pick<AttestFields, 'clock' | 'resetCount' | 'restartCount' | 'safe'>

/** What passes between two quotes, and how much of it an unclean stop loses; in milliseconds. */
const TICK = 1000n
const LOST = 500n

/** Time passes only where the TPM is asked something, so that a test runs the same at any speed (specification tpm.md section 5). */
function createClock() {
  let now: ClockFields = { clock: 60_000n, resetCount: 1, restartCount: 0, safe: 1 }
  return {
    tick: (): ClockFields => (now = { ...now, clock: now.clock + TICK }),
    restart: (how: TpmStop) => {
      if (how === 'resume') now = { ...now, restartCount: now.restartCount + 1 }
      else now = { ...now, resetCount: now.resetCount + 1, restartCount: 0 }
      if (how === 'unclean') now = { ...now, clock: now.clock - LOST, safe: 0 }
    },
  }
}

function valuesOf(selections: readonly Selection[], value: FakeTpm['pcr']): PcrValues {
  const entries = selections.flatMap(({ bank, pcrs }) =>
    typeof bank === 'number' ? [] : [[bank, Object.fromEntries(pcrs.map((pcr) => [String(pcr), value(bank, pcr)]))] as const],
  )
  return Object.fromEntries(entries)
}

type Measured = { readonly clock: ClockFields; readonly values: PcrValues }

function signedQuote(ak: FakeAk, { extraData, selections, attest = {} }: QuoteRequest, { clock, values }: Measured): FakeQuote {
  const body = quoteBody(selections, values, ak.scheme.hash)
  const quote = attestBytes({ ...clock, qualifiedSigner: ak.qualifiedName, extraData, body, ...attest })
  return { quote, signature: tpmtSignature(ak.privateKey, ak.scheme, quote), pcrs: values }
}
