import { DerReader, TAG, type DerDocument } from './der.ts'
import type { Extension, ParsedCertificate } from './x509.ts'

/** The extension that says whether a certificate is an authority (RFC 5280 section 4.2.1.9). */
export const BASIC_CONSTRAINTS = '2.5.29.19'
/** The extension that says what its key may be used for (section 4.2.1.3). */
export const KEY_USAGE = '2.5.29.15'

/** Bits of KeyUsage (RFC 5280 section 4.2.1.3) by their place in the first byte. */
export const USAGE = { digitalSignature: 0x80, keyCertSign: 0x04, crlSign: 0x02 } as const

/** What a certificate says of its role: path length undefined where it is not limited. */
export type Constraints = { readonly ca: boolean; readonly pathLength: bigint | undefined }

/**
 * BasicConstraints (RFC 5280 section 4.2.1.9). It must be critical, else a lax reader would pass over it; without a critical one the
 * certificate is no authority. Throws AttestationError with the document's code for bytes that are not DER.
 */
export function readConstraints({ extensions }: Pick<ParsedCertificate, 'extensions'>, document: DerDocument): Constraints {
  const extension = criticalOne(extensions, BASIC_CONSTRAINTS)
  if (extension === undefined) return { ca: false, pathLength: undefined }
  return DerReader.all(extension.value, document, (top) =>
    top.sequence('BasicConstraints', (r) => ({
      ca: r.nextTag === TAG.BOOLEAN && r.true('cA'),
      pathLength: r.nextTag === TAG.INTEGER ? r.integer('pathLenConstraint') : undefined,
    })),
  )
}

/**
 * The first byte of KeyUsage, which holds every bit that is asked for ({@link USAGE}); 0 when there is no critical one.
 * Throws AttestationError with the document's code for bytes that are not DER.
 */
export function readKeyUsage({ extensions }: Pick<ParsedCertificate, 'extensions'>, document: DerDocument): number {
  const extension = criticalOne(extensions, KEY_USAGE)
  if (extension === undefined) return 0
  return DerReader.all(extension.value, document, (r) => {
    const { content } = r.expect('KeyUsage', TAG.BIT_STRING)
    const [unused = 8, first = 0] = content
    // A second byte would hold decipherOnly alone, which nothing that is read here has.
    const isNamedBits = content.length === 2 && unused < 8 && (first & (2 ** unused - 1)) === 0
    if (!isNamedBits) throw r.malformed('KeyUsage', 'is not one byte of named bits')
    return first
  })
}

const criticalOne = (extensions: readonly Extension[], wanted: string): Extension | undefined => {
  const extension = extensions.find(({ oid }) => oid === wanted)
  return extension?.critical === true ? extension : undefined
}
