/** A challenge whose MAC, epoch and clock were checked, but which is not spent yet. */
export type CheckedChallenge = {
  /** Lower-case hex of the 16 bytes that make it unique; the name of its mark. */
  readonly id: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

/** Stateless challenges (design section 3, Challenge): issuing stores nothing. */
export type Challenges = {
  /** 32 bytes. */
  readonly issue: () => Promise<{ readonly nonce: Uint8Array; readonly expiresAt: Date }>
  /** Checks MAC, epoch and clock. Throws `challenge-unknown` or `challenge-expired`. */
  readonly check: (nonce: Uint8Array) => Promise<CheckedChallenge>
  /** Whether the bytes carry our MAC, whatever their age or epoch. */
  readonly isOurs: (nonce: Uint8Array) => boolean
  /** What an unspent challenge pays for: false if it has paid for another set of addresses. */
  readonly pay: (challenge: CheckedChallenge, needsDigest: string) => Promise<boolean>
  /** Spends it once. Throws `challenge-spent`. */
  readonly spend: (challenge: CheckedChallenge) => Promise<void>
}
