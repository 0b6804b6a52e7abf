/** The first two bytes of a list in DER: SEQUENCE with a length that needs more than one byte. */
const isDer = ([tag = 0, length = 0]: Uint8Array): boolean => tag === 0x30 && length >= 0x80

const [BEGIN, END] = ['-----BEGIN X509 CRL-----', '-----END X509 CRL-----']

/**
 * The DER of a revocation list as services hand it out: DER, PEM, or the text of its DER in hex or base64 (specification tdx.md section 4:
 * caching services differ). Undefined for anything else; whether it is a list is for its verifier to say.
 */
export function listInDer(bytes: Uint8Array): Uint8Array | undefined {
  if (isDer(bytes)) return bytes
  const text = Buffer.from(bytes).toString('latin1').trim()
  const der = fromHex(text) ?? fromBase64(withoutArmour(text))
  return der !== undefined && isDer(der) ? new Uint8Array(der) : undefined
}

function fromHex(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'hex')
  return bytes.length * 2 === text.length ? bytes : undefined
}

const withoutArmour = (text: string): string =>
  text.startsWith(BEGIN) && text.endsWith(END) ? text.slice(BEGIN.length, -END.length) : text

function fromBase64(text: string): Buffer | undefined {
  const joined = text.replaceAll(/[\r\n]/g, '')
  const bytes = Buffer.from(joined, 'base64')
  return bytes.toString('base64') === joined ? bytes : undefined
}
