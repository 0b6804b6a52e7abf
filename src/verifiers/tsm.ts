import { AttestationError } from './problems.ts'
import { snp } from './snp/index.ts'
import { tdx } from './tdx/index.ts'
import type { SnpEvidence, TdxEvidence, TsmEvidence, Verifier } from './verifier.ts'

/** The kernel answers an empty file where there is nothing, so empty means absent. */
const present = (blob: Uint8Array | undefined): Uint8Array | undefined => (blob === undefined || blob.length === 0 ? undefined : blob)

/** Blobs that a provider does not have; bytes in them would be evidence that nobody looks at. */
function absent(evidence: TsmEvidence, names: readonly ('auxblob' | 'manifestblob')[]): void {
  const found = names.find((name) => present(evidence[name]) !== undefined)
  if (found === undefined) return
  throw new AttestationError('evidence-type-unsupported', `${found} of ${evidence.provider} is not supported`, { at: found })
}

/**
 * The evidence inside what Linux configfs-tsm hands out. Of sev_guest, `outblob` is the report and `auxblob` the certificate table
 * (specification snp.md section 10); the manifest of an SVSM is not supported. Of tdx_guest, `outblob` is the quote and there is nothing else.
 * Throws AttestationError evidence-type-unsupported for blobs that are not looked at.
 */
export function unwrapTsm(evidence: TsmEvidence): SnpEvidence | TdxEvidence {
  if (evidence.provider === 'tdx_guest') {
    absent(evidence, ['auxblob', 'manifestblob'])
    return { type: 'tdx', quote: evidence.outblob, certificates: [] }
  }
  absent(evidence, ['manifestblob'])
  const certTable = present(evidence.auxblob)
  return { type: 'snp', form: 'report', bytes: evidence.outblob, certificates: [], ...(certTable === undefined ? {} : { certTable }) }
}

/** configfs-tsm evidence: whatever its provider's own format is, verified as such. Throws as {@link unwrapTsm} and that verifier do. */
export const tsm: Verifier<TsmEvidence> = async (evidence, anchors, reading) => {
  const unwrapped = unwrapTsm(evidence)
  return unwrapped.type === 'tdx' ? tdx(unwrapped, anchors, reading) : snp(unwrapped, anchors, reading)
}
