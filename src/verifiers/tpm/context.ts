import type { AkTrust, EnrolmentBasis, PcrBank } from './claims.ts'
import type { ImaOutcomes } from './ima/outcomes.ts'
import type { ImaRules } from './ima/rules.ts'

/** Clock and counters of a quote that was accepted (specification tpm.md section 5). */
export type QuoteClock = {
  /** Milliseconds. */
  readonly clock: bigint
  readonly resetCount: number
  readonly restartCount: number
}

/** The last quote of an attestation key that was accepted. `strictest`: its record was unreadable, so nothing may follow it. */
export type PreviousQuote = QuoteClock | 'strictest'

/** What an earlier appraisal of the same boot left behind; sealed by the service, opened before it gets here. */
export type ImaState = {
  /** The attestation key as {@link TpmRemains} knows it. */
  readonly akName: string
  readonly bank: PcrBank
  readonly clock: QuoteClock
  /** Entries appraised, and PCR 10 behind them. */
  readonly entries: number
  readonly value: Uint8Array
  readonly wholeListAt: Date
  /** What was found so far, so that an answer tells of the whole list. */
  readonly outcomes: ImaOutcomes
}

/** Whose trust counts, and how TPM evidence is read: the choices of a policy that decide whether it is genuine. */
export type TpmRigour = {
  /** Tolerance for clocks, in seconds, 0 to 300. */
  readonly skewSeconds: number
  /** Models that may vouch for the attestation key; evidence must satisfy exactly one. */
  readonly akTrust: readonly AkTrust[]
  /** Names of enrolled attestation keys (hex), or `spki:` and the SHA-256 of their SubjectPublicKeyInfo. */
  readonly enrolledAks: readonly string[]
  /** Names or `spki:` digests of attestation keys, and digests of EKs, that never count again. */
  readonly deniedAks: readonly string[]
  readonly deniedEks: readonly string[]
  /** Whether an enrolled key may be known by a certificate or digest alone, its attributes unseen. */
  readonly akWithoutPublicArea: 'refuse' | 'allow'
  /** Bases of enrolment that count, and EKs (SHA-256 of SPKI); null: any that was enrolled on such a basis. */
  readonly bases: readonly EnrolmentBasis[]
  readonly eks: readonly string[] | null
  /** Banks that may be relied on, strongest first; sha1 only where a policy names it. */
  readonly banks: readonly PcrBank[]
  /** PCRs that must be quoted in the bank that is relied on. */
  readonly requiredPcrs: readonly number[]
  /** PCRs of 0 to 7 that an event log must lead to. */
  readonly replayedPcrs: readonly number[]
  readonly exitBootServicesWorkaround: 'allow' | 'refuse'
  readonly emptySecureBootVariable: 'allow' | 'refuse'
  readonly efiAppBeforeCallingEvent: 'allow' | 'refuse'
  readonly preSeparatorAuthority: 'allow' | 'refuse'
  /** `grub`: events of PCR 8 that are no text of GRUB's are refused. */
  readonly bootloader: 'grub' | 'uki' | 'any'
  readonly revocation: 'require' | 'prefer' | 'DANGEROUSLY_OFF'
  readonly crlGraceSeconds: number
  /** undefined: an IMA list is not evaluated. */
  readonly ima: ImaRules | undefined
}

/**
 * Asked after every step of long work: a promise when others should work now, undefined while there is time left. Who asks knows no clock, and
 * what a step costs depends on the policy. Absent: nobody waits.
 */
export type Pause = () => Promise<void> | undefined

/** What an appraisal of TPM evidence depends on beside other technologies' context. */
export type TpmContext = {
  /** The last accepted quote of this key; undefined: there is none, or the policy does not compare. */
  readonly previousQuote?: PreviousQuote | undefined
  readonly imaState?: ImaState | undefined
  readonly pause?: Pause
}

/** What is worth keeping of TPM evidence that was accepted. */
export type TpmRemains = {
  /**
   * How the attestation key is known: SHA-256 of its SubjectPublicKeyInfo, lower-case hex. Not its name: where a certificate vouches for the public
   * key alone, whoever sends a public area could choose the name by bits that nobody vouches for, and so shake off what is kept of the key.
   */
  readonly akId: string
  readonly quote: QuoteClock
  readonly imaState?: ImaState
}

/** The rigour of "is it genuine?" when no policy is asked: every PCR of firmware that a log tells of must replay, and no key is enrolled. */
export const genuineTpm: TpmRigour = {
  skewSeconds: 0,
  akTrust: ['ak-cert', 'ek-activation', 'enrolled-ak'],
  enrolledAks: [],
  deniedAks: [],
  deniedEks: [],
  akWithoutPublicArea: 'refuse',
  bases: ['listed', 'enroller', 'any'],
  eks: null,
  banks: ['sha512', 'sha384', 'sha256'],
  requiredPcrs: [],
  replayedPcrs: [0, 1, 2, 3, 4, 5, 6, 7],
  exitBootServicesWorkaround: 'allow',
  emptySecureBootVariable: 'refuse',
  efiAppBeforeCallingEvent: 'refuse',
  preSeparatorAuthority: 'refuse',
  bootloader: 'any',
  revocation: 'prefer',
  crlGraceSeconds: 0,
  ima: undefined,
}
