import { createHash, createPublicKey, verify } from 'node:crypto'
import { fromConstellation } from '../appraisal/reference-constellation.ts'
import { readReferenceSet, type ReferenceContent } from '../appraisal/reference-values.ts'
import { PolicyError } from '../appraisal/read-policy.ts'
import { UsageError } from './exit.ts'
import { base64Bytes, readBytes, readText, timeOf, writeOut } from './files.ts'
import { jsonText, type Session } from './output.ts'

/** Options of `assay reference import`. */
export type ImportFlags = {
  readonly format: 'json' | 'constellation'
  readonly name?: string
  readonly owner?: string
  readonly csp?: string
  readonly variant?: string
  readonly imageVersion?: string
  readonly signature?: string
  readonly key?: string
  readonly at?: string
  readonly out?: string
}

/** Throws PolicyError for a document that is refused, UsageError for a wrong command line. */
export function importSet(file: string, flags: ImportFlags, session: Session): void {
  const bytes = readBytes(file)
  if (isSigned(file, bytes, flags)) session.note('assay: the signature over the document is good')
  else session.note('assay: nobody was asked who made this document (--signature, --key)')
  const { document } = flags.format === 'json' ? readReferenceSet(textOf(bytes, file), file) : constellation(file, bytes, flags)
  writeOut(jsonText(document), flags.out, session)
}

/** Whether a signature was asked for, and is good; one that is not is a refusal. Before anything of the document is looked at. */
function isSigned(file: string, bytes: Uint8Array, { signature, key }: ImportFlags): boolean {
  if (signature === undefined && key === undefined) return false
  if (signature === undefined || key === undefined) throw new UsageError('--signature and --key go together')
  if (verify('sha256', bytes, publicKey(key), base64Bytes(readText(signature).trim(), '--signature'))) return true
  throw new PolicyError(file, [{ path: '', message: 'the signature over the document is not of this key' }], 'document')
}

function publicKey(file: string) {
  const pem = readText(file)
  try {
    return createPublicKey(pem)
  } catch {
    throw new UsageError(`${file} is not a public key in PEM`)
  }
}

function constellation(file: string, bytes: Uint8Array, flags: ImportFlags): ReferenceContent {
  const { name, owner, csp, variant, imageVersion, at } = flags
  if (name === undefined || owner === undefined)
    throw new UsageError('--format constellation needs --name and --owner, which the document does not say')
  return fromConstellation(textOf(bytes, file), {
    origin: file,
    expected: imageVersion === undefined ? {} : { version: imageVersion },
    entry: { csp, variant },
    set: {
      name,
      owner,
      at: at === undefined ? new Date() : timeOf(at, '--at'),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    },
  })
}

function textOf(bytes: Uint8Array, file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new UsageError(`${file} is not UTF-8 text`)
  }
}
