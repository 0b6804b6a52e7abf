import { setImmediate } from 'node:timers/promises'
import { AttestationError } from '../verifiers/problems.ts'
import { openChain, type AuditFile, type ChainWriter } from './audit-file.ts'

/** A document of operators in one of its versions. */
type Document = { readonly name: string; readonly version: number; readonly sha256: string }

/** What a document in a file is; of a set of reference values, with what the file says of it. */
export type FileState = { readonly sha256: string; readonly standing?: Readonly<Record<string, string>> }

/** One verdict, or one act of an operator. Never holds evidence bytes, nonces, tokens or keys. */
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
  readonly policy?: Document
  /** Of an act: the version of a set of reference values; of a verdict: those in force of the sets that the policy names, a hundred at most. */
  readonly reference_values?: readonly Document[]
  /** How many more there were. */
  readonly reference_values_omitted?: number
  /** A document in a file that is about to count otherwise: null where it was not there before, or is not any more. */
  readonly file?: {
    readonly collection: 'policies' | 'reference-values'
    readonly name: string
    readonly version: number
    readonly before: FileState | null
    readonly after: FileState | null
  }
  /** Of an enrolment: digests and names alone. `serial` is of the certificate that was issued, hex; `not_after` RFC 3339. */
  readonly tpm?: {
    readonly ek_public_key_sha256: string
    readonly ak_name: string
    readonly basis: string
    readonly listed_by: string | null
    readonly serial?: string
    readonly not_after?: string
  }
  /** Of a key that signs tokens. `signs_from` RFC 3339. */
  readonly token_key?: { readonly kid: string; readonly alg: string; readonly signs_from: string }
  readonly evidence_digest?: string
  /** Of all vendor documents that the verdict relied on (`collateral.digest` of the appraisal). */
  readonly collateral_digest?: string
  readonly jti?: string
}

/** Where decisions are written. No audit line, no token. */
export type AuditLog = {
  /** Resolves once the line is with the operating system. Throws `audit-unavailable`. */
  readonly append: (line: AuditLine) => Promise<void>
  readonly close: () => Promise<void>
}

/** An audit log that also takes lines which another process wrote as the text of a JSON object. */
export type AuditWriter = AuditLog & { readonly appendText: (text: string) => Promise<void> }

/** When writing may work again. */
const RETRY_SECONDS = 10

type Waiting = { readonly text: string; readonly done: () => void; readonly failed: (error: Error) => void }

/**
 * A file of JSON lines, mode 0600, each chained to the one before (audit-chain.ts). Lines that arrive while a write is under way are written
 * together by the next one. A file that was moved away (log rotation) is made anew before the next write, and the chain goes on in it.
 * Only one process may write to a file. Throws if the file cannot be opened now.
 */
export async function createAuditLog(file: AuditFile): Promise<AuditWriter> {
  const chain = await openChain(file)
  let waiting: Waiting[] = []
  let writing: Promise<void> | undefined
  let closed: Promise<void> | undefined

  const writeAll = async (): Promise<void> => {
    // Requests that arrived together are decided together: their lines make one write.
    await setImmediate()
    while (waiting.length > 0) {
      const batch = waiting
      waiting = []
      // One write after the other is the point: what arrives meanwhile is the next batch.
      await settle(batch, chain)
    }
    writing = undefined
  }
  const appendText = (text: string): Promise<void> => {
    if (closed !== undefined) return Promise.reject(auditUnavailable('the audit log is closed'))
    return new Promise((done, failed) => {
      waiting.push({ text, done, failed })
      writing ??= writeAll()
    })
  }
  const finish = async (): Promise<void> => {
    await writing
    await chain.close()
  }
  return { append: (line) => appendText(JSON.stringify(line)), appendText, close: () => (closed ??= finish()) }
}

async function settle(batch: readonly Waiting[], chain: ChainWriter): Promise<void> {
  try {
    await chain.write(batch.map(({ text }) => text))
    for (const { done } of batch) done()
  } catch (error) {
    for (const { failed } of batch) failed(auditUnavailable('the audit log cannot be written', error))
  }
}

/** Why there is no audit line, and so no token. */
export const auditUnavailable = (why: string, cause?: unknown): AttestationError =>
  new AttestationError('audit-unavailable', why, { retryAfter: RETRY_SECONDS, cause })
