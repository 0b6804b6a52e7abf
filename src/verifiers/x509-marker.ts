import { hexOf } from './der-values.ts'
import type { Extension } from './x509.ts'

/** The critical extension of everything that the simulator mints (design section 5). */
export const MARKER_OID = '2.25.291172566907466161648125306256757391295.1'

/** The same as encoded. Bytes are compared, because some decoders print identifiers with such long arcs wrongly. */
const MARKER_ENCODED = '6983b68de5fae9c69aadd983f792f7badfa1ff3f01'

/** Whether an extension is the marker, critical or not. */
export const carriesMarker = ({ encodedOid }: Extension): boolean => hexOf(encodedOid) === MARKER_ENCODED
