import { CURVES, hashOf, hex16 } from './algorithms.ts'

/** Algorithms that are no hashes known here, by id (specification tpm.md section 1; TCG Algorithm Registry). */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x0005, 'hmac'],
  [0x0006, 'aes'],
  [0x0007, 'mgf1'],
  [0x0012, 'sm3_256'],
  [0x0013, 'sm4'],
  [0x0014, 'rsassa'],
  [0x0015, 'rsaes'],
  [0x0016, 'rsapss'],
  [0x0017, 'oaep'],
  [0x0018, 'ecdsa'],
  [0x0019, 'ecdh'],
  [0x001a, 'ecdaa'],
  [0x001b, 'sm2'],
  [0x001c, 'ecschnorr'],
  [0x0020, 'kdf1_sp800_56a'],
  [0x0021, 'kdf2'],
  [0x0022, 'kdf1_sp800_108'],
  [0x0026, 'camellia'],
  [0x0027, 'sha3_256'],
  [0x0028, 'sha3_384'],
  [0x0029, 'sha3_512'],
  [0x0040, 'ctr'],
  [0x0041, 'ofb'],
  [0x0042, 'cbc'],
  [0x0043, 'cfb'],
  [0x0044, 'ecb'],
])

/** The name of an algorithm, `0x0001` for one that has none here. */
export const algorithmName = (id: number): string => hashOf(id) ?? NAMES.get(id) ?? hex16(id)

/** The name of a curve, `0x0010` for one that is not accepted. */
export const curveName = (id: number): string => CURVES.find((curve) => curve.id === id)?.jwk ?? hex16(id)
