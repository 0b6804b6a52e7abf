import { generateKeyPairSync, verify, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ekKeyOf } from '../verifiers/tpm/credential/ek-key.ts'
import { eccSeed, makeCredential, rsaSeed, seedBytes } from '../verifiers/tpm/credential/make.ts'
import { MARKER_OID } from '../verifiers/x509-marker.ts'
import { parseCertificate } from '../verifiers/x509.ts'
import { fakeTpm, type AkChoice, type EkChoice } from './tpm-machine.ts'
import { fakeTpmHost } from './tpm-hosts.ts'
import { fakeTpms, type TpmAuthorityRole } from './tpm.ts'

const tpms = fakeTpms()
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const secret = new Uint8Array(32).map((_, at) => at)

/** A credential for the TPM's endorsement key and a name. */
function credentialFor({ ek }: ReturnType<typeof fakeTpm>, akName: Uint8Array) {
  const key = ekKeyOf(ek.publicKey)
  if (key === undefined) throw new Error('no template')
  const curve = ek.publicKey.asymmetricKeyDetails?.namedCurve
  const seed =
    curve === undefined
      ? rsaSeed(key, new Uint8Array(seedBytes(key)).fill(7))
      : eccSeed(key, generateKeyPairSync('ec', { namedCurve: curve }).privateKey)
  return makeCredential(key, seed, { akName, secret })
}

describe('a TPM of the simulator', () => {
  it.each<EkChoice>(['rsa-2048', 'ecc-p256', 'ecc-p384'])('with an EK of %s gives up what is for its key, and nothing else', (choice) => {
    const [tpm, other] = [fakeTpm(choice, ['sha256']), fakeTpm(choice, ['sha256'])]
    const [ak, second] = [tpm.createAk('ecdsa-p256'), tpm.createAk('ecdsa-p256')]
    const credential = credentialFor(tpm, ak.name)
    expect(tpm.activate(ak, credential)).toEqual(secret)
    expect(() => tpm.activate(second, credential)).toThrow('not for this')
    // What RSA says of a foreign ciphertext depends on the two moduli.
    expect(() => other.activate(ak, credential)).toThrow(Error)
  })

  it.each<AkChoice>(['rsassa', 'ecdsa-p256', 'ecdsa-p384'])('signs with %s', (choice) => {
    const tpm = fakeTpm('ecc-p256', ['sha256'])
    const ak = tpm.createAk(choice)
    const { quote, signature } = tpm.quote(ak, { extraData: secret, selections: [{ bank: 'sha256', pcrs: [0] }] })
    const sizes = { rsassa: [256], 'ecdsa-p256': [32, 32], 'ecdsa-p384': [48, 48], rsapss: [] }[choice]
    // Behind the scheme and the hash each part has its length in front.
    const parts = sizes.map((size, at) => signature.subarray(4 + at * (size + 2) + 2, 4 + (at + 1) * (size + 2)))
    expect(signature.length).toBe(4 + sizes.reduce((sum, size) => sum + size + 2, 0))
    expect(verify(ak.scheme.hash, quote, { key: ak.publicKey, dsaEncoding: 'ieee-p1363' }, Buffer.concat(parts))).toBe(true)
  })

  it('loses its registers when it is reset, keeps them in a resume, and counts both', () => {
    const tpm = fakeTpm('ecc-p256', ['sha256', 'sha1'])
    const zero = '00'.repeat(32)
    tpm.extend(4, (bank) => new Uint8Array(bank === 'sha1' ? 20 : 32))
    // SHA-256 of 64 zeros.
    expect(hex(tpm.pcr('sha256', 4))).toBe('f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b')
    expect(tpm.pcr('sha1', 4).length).toBe(20)
    tpm.restart('resume')
    expect(hex(tpm.pcr('sha256', 4))).not.toBe(zero)
    tpm.restart('orderly')
    expect([4, 16, 17, 22, 23].map((pcr) => hex(tpm.pcr('sha256', pcr)))).toEqual([zero, zero, 'ff'.repeat(32), 'ff'.repeat(32), zero])
    expect(() => tpm.extend(24, () => new Uint8Array(32))).toThrow(RangeError)
  })
})

describe('the simulator’s maker of TPMs and its cloud', () => {
  it.each<[TpmAuthorityRole, TpmAuthorityRole]>([
    ['manufacturer', 'manufacturer-root'],
    ['cloud', 'cloud-root'],
    ['cloud-root', 'cloud-root'],
  ])('certify each other: %s by %s', (subject, issuer) => {
    const [below, above] = [subject, issuer].map((role) => new X509Certificate(tpms.authority(role).der))
    expect(below?.verify(tpms.authority(issuer).publicKey)).toBe(true)
    expect(above?.ca).toBe(true)
  })

  it('mark every certificate, so that none counts in production', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const all = [...tpms.anchors().pool, tpms.ekCertificate(publicKey), tpms.akCertificate(publicKey)]
    expect(all.map((der) => parseCertificate(der).extensions.some(({ oid, critical }) => oid === MARKER_OID && critical))).toEqual(
      all.map(() => true),
    )
  })
})

describe('a host of the simulator', () => {
  it('measures its boot and its files again when it starts again', () => {
    const host = fakeTpmHost(tpms, { files: [{ path: '/bin/a', content: 'a' }] })
    const registers = () => [0, 4, 7, 10].map((pcr) => hex(host.tpm.pcr('sha256', pcr)))
    const before = registers()
    host.run({ path: '/bin/b', content: 'b' })
    const after = registers()
    expect([after.slice(0, 3), after[3] === before[3]]).toEqual([before.slice(0, 3), false])
    host.reboot('resume')
    expect(registers()).toEqual(after)
    host.reboot('unclean')
    expect(registers()).toEqual(before)
  })
})
