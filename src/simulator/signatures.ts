import { constants, sign, type KeyObject } from 'node:crypto'
import { RsaSaPssParams, id_mgf1, id_RSASSA_PSS, id_sha256, id_sha384, id_sha384WithRSAEncryption } from '@peculiar/asn1-rsa'
import { AsnConvert } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'

/** AMD signs certificates and lists with `pss-sha384`, Intel with `ecdsa-sha256`; the others exist to be refused. */
export type SignatureScheme = RsaScheme | EcdsaScheme
type RsaScheme = 'pss-sha384' | 'pss-sha256' | 'pss-sha256-salt48' | 'pss-sha384-salt20' | 'pss-sha384-salt32' | 'pkcs1-sha384'
type EcdsaScheme = 'ecdsa-sha256' | 'ecdsa-sha384'

const pss = (hash: string, saltLength: number): AlgorithmIdentifier => {
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: hash, parameters: null })
  const maskGenAlgorithm = new AlgorithmIdentifier({ algorithm: id_mgf1, parameters: AsnConvert.serialize(hashAlgorithm) })
  const parameters = AsnConvert.serialize(new RsaSaPssParams({ hashAlgorithm, maskGenAlgorithm, saltLength }))
  return new AlgorithmIdentifier({ algorithm: id_RSASSA_PSS, parameters })
}

/** `padding` and `saltLength` are of RSA. */
type Scheme = { readonly algorithm: AlgorithmIdentifier; readonly hash: string; readonly padding?: number; readonly saltLength?: number }

const pssScheme = (hash: 'sha256' | 'sha384', saltLength: number): Scheme => ({
  algorithm: pss(hash === 'sha256' ? id_sha256 : id_sha384, saltLength),
  hash,
  padding: constants.RSA_PKCS1_PSS_PADDING,
  saltLength,
})

/** RFC 5758 section 3.2: the parameters are absent. */
const ecdsaScheme = (hash: 'sha256' | 'sha384', oid: string): Scheme => ({ algorithm: new AlgorithmIdentifier({ algorithm: oid }), hash })

const SCHEMES: Record<SignatureScheme, Scheme> = {
  'pss-sha384': pssScheme('sha384', 48),
  'pss-sha256': pssScheme('sha256', 32),
  'pss-sha256-salt48': pssScheme('sha256', 48),
  // 20 is the default of RFC 8017 and so left out of the encoding.
  'pss-sha384-salt20': pssScheme('sha384', 20),
  'pss-sha384-salt32': pssScheme('sha384', 32),
  'pkcs1-sha384': {
    algorithm: new AlgorithmIdentifier({ algorithm: id_sha384WithRSAEncryption, parameters: null }),
    hash: 'sha384',
    padding: constants.RSA_PKCS1_PADDING,
  },
  'ecdsa-sha256': ecdsaScheme('sha256', '1.2.840.10045.4.3.2'),
  'ecdsa-sha384': ecdsaScheme('sha384', '1.2.840.10045.4.3.3'),
}

/** The AlgorithmIdentifier that names a scheme. */
export const algorithmOf = (scheme: SignatureScheme): AlgorithmIdentifier => SCHEMES[scheme].algorithm

/** Signs with a key of the scheme's kind; ECDSA signatures are DER, as certificates hold them. */
export function signAs(scheme: SignatureScheme, key: KeyObject, bytes: Uint8Array): Uint8Array {
  const { hash, padding, saltLength } = SCHEMES[scheme]
  return sign(hash, bytes, {
    key,
    ...(padding === undefined ? {} : { padding }),
    ...(saltLength === undefined ? {} : { saltLength }),
  })
}
