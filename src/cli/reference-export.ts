import { toConstellation } from '../appraisal/reference-constellation.ts'
import { readReferenceFile, type ReferenceDocument } from '../appraisal/reference-values.ts'
import { UsageError } from './exit.ts'
import { readText, writeOut } from './files.ts'
import { jsonText, type Session } from './output.ts'

/** Options of `assay reference export`. */
export type ExportFlags = {
  readonly format: 'json' | 'constellation'
  readonly imageVersion?: string
  readonly ref: string
  readonly stream: string
  readonly csp?: string
  readonly variant?: string
  readonly out?: string
}

/** Throws PolicyError for a set that cannot be used or has no place in the form, UsageError for a wrong command line. */
export function exportSet(file: string, flags: ExportFlags, session: Session): void {
  const { document } = readReferenceFile(readText(file), file)
  writeOut(flags.format === 'json' ? jsonText(document) : constellation(document, flags), flags.out, session)
}

function constellation(document: ReferenceDocument, { imageVersion: version, csp, variant, ref, stream }: ExportFlags): string {
  if (version === undefined || csp === undefined || variant === undefined)
    throw new UsageError('--format constellation needs --image-version, --csp and --variant, which a set does not say')
  return toConstellation(document, { version, ref, stream, csp, variant })
}
