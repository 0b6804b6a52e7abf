import { constants, sign, type KeyObject } from 'node:crypto'
import { RsaSaPssParams, id_mgf1, id_RSASSA_PSS, id_sha256, id_sha384, id_sha384WithRSAEncryption } from '@peculiar/asn1-rsa'
import { AsnConvert } from '@peculiar/asn1-schema'
import { AlgorithmIdentifier } from '@peculiar/asn1-x509'

/** AMD signs certificates and lists with `pss-sha384`; the others exist to be refused. */
export type SignatureScheme = 'pss-sha384' | 'pss-sha256' | 'pss-sha384-salt20' | 'pkcs1-sha384'

const pss = (hash: string, saltLength: number): AlgorithmIdentifier => {
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: hash, parameters: null })
  const maskGenAlgorithm = new AlgorithmIdentifier({ algorithm: id_mgf1, parameters: AsnConvert.serialize(hashAlgorithm) })
  const parameters = AsnConvert.serialize(new RsaSaPssParams({ hashAlgorithm, maskGenAlgorithm, saltLength }))
  return new AlgorithmIdentifier({ algorithm: id_RSASSA_PSS, parameters })
}

const SCHEMES: Record<SignatureScheme, { algorithm: AlgorithmIdentifier; hash: string; padding: number; saltLength?: number }> = {
  'pss-sha384': { algorithm: pss(id_sha384, 48), hash: 'sha384', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 },
  'pss-sha256': { algorithm: pss(id_sha256, 32), hash: 'sha256', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
  'pss-sha384-salt20': { algorithm: pss(id_sha384, 20), hash: 'sha384', padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 20 },
  'pkcs1-sha384': {
    algorithm: new AlgorithmIdentifier({ algorithm: id_sha384WithRSAEncryption, parameters: null }),
    hash: 'sha384',
    padding: constants.RSA_PKCS1_PADDING,
  },
}

/** The AlgorithmIdentifier that names a scheme. */
export const algorithmOf = (scheme: SignatureScheme): AlgorithmIdentifier => SCHEMES[scheme].algorithm

/** Signs with an RSA key. */
export function signAs(scheme: SignatureScheme, key: KeyObject, bytes: Uint8Array): Uint8Array {
  const { hash, padding, saltLength } = SCHEMES[scheme]
  return sign(hash, bytes, { key, padding, ...(saltLength === undefined ? {} : { saltLength }) })
}
