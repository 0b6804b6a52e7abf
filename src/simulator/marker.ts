import type { DerExtension } from '../asn1/values.ts'
import { MARKER_OID } from '../verifiers/x509-marker.ts'

/**
 * The critical extension in every certificate that the simulator mints, so that none can pass for a vendor’s: production refuses any chain
 * that holds it (design section 5). Its value is NULL.
 */
export const markerExtension: DerExtension = { oid: MARKER_OID, critical: true, value: Uint8Array.of(0x05, 0x00) }
