import { createPublicKey, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { readPublicKey, verifyEcdsa, verifyEcdsaDer, verifyPss, type Signed } from '../src/verifiers/signatures.ts'
import type { PssParameters } from '../src/verifiers/x509-algorithm.ts'
import { vectorJson, vectorsPresent } from './vectors.ts'

type Test = { tcId: number; comment: string; msg: string; sig: string; result: 'valid' | 'invalid' | 'acceptable'; flags: string[] }
type Group = { publicKeyDer: string; tests: Test[] }

const present = vectorsPresent()
const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))
const groupsOf = (file: string): readonly Group[] =>
  present ? (vectorJson(`wycheproof/${file}`) as { testGroups: Group[] }).testGroups : []

const keyOf = ({ publicKeyDer }: Group): KeyObject => readPublicKey(bytes(publicKeyDer)) ?? createPublicKey('no key')
const signedOf = (group: Group, key: KeyObject): readonly (Signed & { test: Test })[] =>
  group.tests.map((test) => ({ test, key, data: bytes(test.msg), signature: bytes(test.sig) }))

/** Vectors whose verdict differs from ours; "acceptable" must not occur in these sets. */
async function surprises(file: string, verify: (signed: Signed) => Promise<boolean> | boolean): Promise<readonly string[]> {
  const all = groupsOf(file).flatMap((group) => signedOf(group, keyOf(group)))
  const verdicts = await Promise.all(all.map(async ({ test, ...signed }) => ({ test, valid: await verify(signed) })))
  return verdicts.flatMap(({ test, valid }) =>
    (test.result === 'valid') === valid ? [] : [`${test.tcId} ${test.result}: ${test.comment}`],
  )
}

const SHA384_48: PssParameters = { hash: 'sha384', saltLength: 48 }
const SHA256_32: PssParameters = { hash: 'sha256', saltLength: 32 }

describe.skipIf(!present)('Wycheproof', () => {
  it.each([
    ['ecdsa_secp256r1_sha256_p1363_test.json', verifyEcdsa],
    ['ecdsa_secp256r1_sha256_test.json', verifyEcdsaDer],
    ['ecdsa_secp384r1_sha384_p1363_test.json', verifyEcdsa],
    ['ecdsa_secp384r1_sha384_p1363_test.json', (signed: Signed) => verifyEcdsa(signed, 'in-place')],
    ['rsa_pss_4096_sha384_mgf1_48_test.json', (signed: Signed) => verifyPss(signed, SHA384_48)],
    ['rsa_pss_2048_sha256_mgf1_32_test.json', (signed: Signed) => verifyPss(signed, SHA256_32)],
    ['rsa_pss_2048_sha256_mgf1_32_params_test.json', (signed: Signed) => verifyPss(signed, SHA256_32)],
  ])('%s', async (file, verify) => {
    const count = groupsOf(file).reduce((sum, group) => sum + group.tests.length, 0)
    expect(count).toBeGreaterThan(100)
    expect(await surprises(file, verify)).toEqual([])
  })

  it('has valid signatures that other parameters must not accept', async () => {
    const [group] = groupsOf('rsa_pss_4096_sha384_mgf1_48_test.json')
    const valid = group === undefined ? [] : signedOf(group, keyOf(group)).filter(({ test }) => test.result === 'valid')
    expect(valid.length).toBeGreaterThan(10)
    expect(valid.some((signed) => verifyPss(signed, { hash: 'sha384', saltLength: 32 }))).toBe(false)
    expect(valid.some((signed) => verifyPss(signed, { hash: 'sha256', saltLength: 48 }))).toBe(false)
  })

  it('has DER signatures that the fixed-length form must not accept', async () => {
    const all = groupsOf('ecdsa_secp384r1_sha384_test.json').flatMap((group) => signedOf(group, keyOf(group)))
    expect(all.filter(({ test }) => test.result === 'valid').length).toBeGreaterThan(100)
    expect((await Promise.all(all.map((signed) => verifyEcdsa(signed)))).some(Boolean)).toBe(false)
    expect(all.some((signed) => verifyEcdsaDer(signed))).toBe(false)
  })
})
