/** One decision. Never holds evidence bytes, tokens or keys. */
export type AuditLine = {
  /** RFC 3339. */
  readonly time: string
  readonly request_id: string
  readonly action: string
  readonly outcome: 'issued' | 'refused' | 'undecided' | 'changed'
  readonly caller: string
  readonly code?: string
  readonly appraisal_id?: string
  readonly audience?: string
  readonly policy?: { readonly name: string; readonly version: number; readonly sha256: string }
  readonly evidence_digest?: string
  readonly jti?: string
}

/** Where decisions are written. No audit line, no token. */
export type AuditLog = {
  /** Resolves once the line is with the operating system. Throws `audit-unavailable`. */
  readonly append: (line: AuditLine) => Promise<void>
  readonly close: () => Promise<void>
}
