import { AttestationError } from './problems.ts'
import { snp } from './snp/index.ts'
import type { SnpEvidence, TsmEvidence, Verifier } from './verifier.ts'

/** The kernel answers an empty file where there is nothing, so empty means absent. */
const present = (blob: Uint8Array | undefined): Uint8Array | undefined => (blob === undefined || blob.length === 0 ? undefined : blob)

/**
 * The evidence inside what Linux configfs-tsm hands out (specification snp.md section 10): of sev_guest, `outblob` is the report and `auxblob` the
 * certificate table. Throws AttestationError evidence-type-unsupported for other providers and for the manifest of an SVSM.
 */
export function unwrapTsm(evidence: TsmEvidence): SnpEvidence {
  if (evidence.provider !== 'sev_guest')
    throw new AttestationError('evidence-type-unsupported', `provider ${evidence.provider} is not supported`, { at: 'provider' })
  if (present(evidence.manifestblob) !== undefined)
    throw new AttestationError('evidence-type-unsupported', 'manifestblob: evidence of an SVSM is not supported', { at: 'manifestblob' })
  const certTable = present(evidence.auxblob)
  return { type: 'snp', form: 'report', bytes: evidence.outblob, certificates: [], ...(certTable === undefined ? {} : { certTable }) }
}

/** configfs-tsm evidence: whatever its provider's own format is, verified as such. Throws as {@link unwrapTsm} and that verifier do. */
export const tsm: Verifier<TsmEvidence> = async (evidence, anchors) => snp(unwrapTsm(evidence), anchors)
