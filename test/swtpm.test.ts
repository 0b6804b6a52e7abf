import { generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CURVES, RSA_BITS } from '../src/verifiers/tpm/credential/templates.ts'
import { ekKeyOf, type EkKey } from '../src/verifiers/tpm/credential/ek-key.ts'
import { readEkPublic } from '../src/verifiers/tpm/credential/ek-public.ts'
import { eccSeed, makeCredential, rsaSeed, seedBytes, toolsFile, type Seed } from '../src/verifiers/tpm/credential/make.ts'
import { startSwtpm, swtpmPresent, type AkSpec, type EkName, type Swtpm } from './swtpm.ts'

const seedFor = (ek: EkKey): Seed => {
  if (ek.kind in RSA_BITS) return rsaSeed(ek, randomBytes(seedBytes(ek)))
  const curve = Object.entries(CURVES).find(([kind]) => kind === ek.kind)?.[1].node ?? ''
  return eccSeed(ek, generateKeyPairSync('ec', { namedCurve: curve }).privateKey)
}

const AKS: readonly (AkSpec & { readonly template: string })[] = [
  { under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsassa', template: 'L-1' },
  { under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsapss', template: 'L-1' },
  { under: 'p384', algorithm: 'ecc384', hash: 'sha384', scheme: 'ecdsa', template: 'H-3' },
  { under: 'p384', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa', template: 'H-3' },
  { under: 'p256', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa', template: 'L-2' },
]

describe.skipIf(!swtpmPresent())('a TPM in software', () => {
  let tpm: Swtpm
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.createP256Ek()
  }, 60_000)
  afterAll(() => tpm.close())

  const ekOf = async (name: EkName): Promise<EkKey> => {
    const ek = ekKeyOf(new X509Certificate(await tpm.ekCertificate(name)).publicKey)
    if (ek === undefined) throw new Error(`${name} is no EK`)
    return ek
  }
  const secret = new Uint8Array(32).map((_, index) => index)
  const blobFor = async (name: EkName, akName: string): Promise<Uint8Array> => {
    const ek = await ekOf(name)
    return toolsFile(makeCredential(ek, seedFor(ek), { akName: Buffer.from(akName, 'hex'), secret }))
  }

  it.each(AKS)(
    'opens a credential made for its EK ($under, $algorithm $scheme)',
    async (spec) => {
      const ak = await tpm.createAk(spec)
      expect(readEkPublic(await tpm.ekPublic(spec.under))?.template.name).toBe(spec.template)
      expect(readEkPublic(await tpm.ekPublic(spec.under))?.ek.spkiSha256).toBe((await ekOf(spec.under)).spkiSha256)
      expect(await tpm.activate(ak, await blobFor(spec.under, ak.name))).toEqual(secret)
      // The name of another key: the TPM computes it from the key that it holds.
      await expect(
        tpm.activate(
          ak,
          await blobFor(
            spec.under,
            ak.name.replace(/..$/, (end) => (end === '00' ? '01' : '00')),
          ),
        ),
      ).rejects.toThrow('integrity')
    },
    60_000,
  )

  it('does not open what was made for another of its EKs', async () => {
    const ak = await tpm.createAk({ under: 'p256', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa' })
    await expect(tpm.activate(ak, await blobFor('rsa', ak.name))).rejects.toThrow('tpm2_activatecredential')
  }, 60_000)

  it('keeps keys and PCRs over a resume, and only keys over a reset', async () => {
    const ak = await tpm.createAk({ under: 'p256', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa' })
    const zeros = new Uint8Array(32)
    const value = async () => (await tpm.quote(ak, Uint8Array.of(1), 'sha256:16,10')).pcrs['sha256']?.['10']
    await tpm.extend(10, { sha256: '11'.repeat(32) })
    const extended = await value()
    expect(extended).not.toEqual(zeros)
    await tpm.restart('resume')
    expect(await value()).toEqual(extended)
    await tpm.restart('orderly')
    expect(await value()).toEqual(zeros)
    await tpm.restart('unclean')
    expect(await value()).toEqual(zeros)
  }, 60_000)
})
