import { createPublicKey } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { vectorBytes, vectorJson, vectorsPresent } from '../../../../test/vectors.ts'
import type { PcrBank } from '../claims.ts'
import { ImaList } from './list.ts'
import { hasItsHash, isViolation, type ImaEntry } from './entry.ts'
import { judgeIma } from './judge.ts'
import { pathText } from './path.ts'
import { Register } from './register.ts'
import type { ImaRules } from './rules.ts'
import { readSignature } from './signature.ts'
import { readSigner, signedDigestOf } from './signer.ts'

const entriesOf = async (bytes: Uint8Array): Promise<readonly ImaEntry[]> => {
  const list = new ImaList(bytes, 0)
  const entries: ImaEntry[] = []
  for (let entry = await list.next(); entry !== undefined; entry = await list.next()) entries.push(entry)
  return entries
}

const replayed = (entries: readonly ImaEntry[], bank: PcrBank): string => {
  const register = new Register(bank, 'own-hash')
  for (const entry of entries) register.extend(entry)
  return register.value.toString('hex')
}

const ANYTHING: ImaRules = {
  bootAggregate: 'off',
  legacyPadding: 'refuse',
  digests: new Map(),
  isExcluded: () => true,
  keyrings: new Map(),
  ignoredKeyrings: new Set(),
  buffers: new Map(),
  signers: [],
}

describe.skipIf(!vectorsPresent())('lists of the vectors', () => {
  it.each([
    ['ima-keylime-sha1', '62e5bdf4783228f7deec959f0a89a4739af79ac5', '37c153b0a390c91993992d79eb0b9b05b5cb9085c6179528e1b71694ed19896c'],
    ['ima-keylime-sha512', 'a37fb4ca32af8c94fefe8a4ce10d4b6dac5a7322', 'ac16f32385ac34b7ca6b15b2afc7a319249206634d8143b5b245ddac4f11a2eb'],
    ['ima-keylime-sm3_256', '6956cf4a0031dae91883dd046db1731a8cdfc6b2', '4b2794784f13841ecdd6626211bd572eb4862e633ea198cdf8fecf7c1929043d'],
  ])('%s replays in both banks, every hash its own', async (name, sha1, sha256) => {
    const entries = await entriesOf(vectorBytes(`tpm/${name}/ascii_runtime_measurements`))
    expect(entries.map(isViolation)).toEqual([true, false])
    expect(entries.map(hasItsHash)).toEqual([true, true])
    expect([replayed(entries, 'sha1'), replayed(entries, 'sha256')]).toEqual([sha1, sha256])
  })

  it.each([
    ['measurements.txt', 3, 'dff39e2db052e00d11f45770bb127c4053e14f32'],
    ['signatures.txt', 2, '5bfd7d5ca54868d443d09b9e3c4fca6d7d2c1d15'],
  ])('ima-sig-keylime/%s replays', async (name, count, sha1) => {
    const entries = await entriesOf(vectorBytes(`tpm/ima-sig-keylime/${name}`))
    expect([entries.length, replayed(entries, 'sha1'), entries.every(hasItsHash)]).toEqual([count, sha1, true])
  })

  it('has signatures of files that verify, each by its own key', async () => {
    const signers = ['rsa2048pub.pem', 'secp256k1-pub.pem'].map((name) => {
      const der = createPublicKey(Buffer.from(vectorBytes(`tpm/ima-sig-keylime/${name}`))).export({ format: 'der', type: 'spki' })
      return readSigner(Buffer.from(der))
    })
    expect(signers.map((signer) => signer?.keyIds)).toEqual([['f3452d23'], ['531f4025']])
    const entries = await entriesOf(vectorBytes('tpm/ima-sig-keylime/signatures.txt'))
    const verdicts = entries.map((entry) => {
      const signature = readSignature(entry)
      const signed = typeof signature === 'string' ? undefined : signedDigestOf(signature, entry.digest)
      return signers.map((signer) => signed !== undefined && signer?.signed(signed))
    })
    expect(verdicts).toEqual([
      [true, false],
      [false, true],
    ])
  })

  it('has a signature of a wrong length, in an entry of a wrong hash', async () => {
    const [entry] = await entriesOf(vectorBytes('tpm/ima-sig-keylime/bad-signature.txt'))
    if (entry === undefined) throw new Error('one entry')
    expect([readSignature(entry), hasItsHash(entry)]).toEqual(['malformed', false])
  })

  it.each([
    ['ima400', 400],
    ['imaend', 826],
  ])('swtpm-ima-quote: %s attests %i of 826 entries', async (name, attested) => {
    const { sha256 } = vectorJson(`tpm/swtpm-ima-quote/${name}.pcrs.json`) as { sha256: Record<string, string> }
    const pcrs = new Map(Object.entries(sha256).map(([pcr, value]) => [Number(pcr), Buffer.from(value, 'hex')]))
    const judge = (rules: ImaRules) =>
      judgeIma({
        imaLog: vectorBytes('tpm/swtpm-ima-quote/ascii_runtime_measurements'),
        rules,
        bank: 'sha256',
        pcrs,
        quotedBanks: new Map([['sha256', pcrs]]),
        akName: '000b',
        clock: { clock: 1n, resetCount: 4, restartCount: 0 },
        state: undefined,
        now: new Date('2026-11-24T12:00:00Z'),
      })
    const { claims } = await judge(ANYTHING)
    expect(claims).toMatchObject({
      attested_entries: attested,
      unattested_entries: 826 - attested,
      violations: 0,
      boot_aggregate_verified: false,
      accepted: { excluded: attested - 1 },
      faults: {},
    })
    // Not all of PCRs 0 to 7 are quoted, and none of SHA-1, which the first entry is of.
    expect((await judge({ ...ANYTHING, bootAggregate: 'verify' })).claims?.faults).toHaveProperty('boot-aggregate')
    expect((await judge({ ...ANYTHING, bootAggregate: 'if-quoted' })).claims?.faults).toEqual({})
  })

  it('swtpm-ima-quote tells paths as they are', async () => {
    const entries = await entriesOf(vectorBytes('tpm/swtpm-ima-quote/ascii_runtime_measurements'))
    expect(entries.slice(0, 3).map(({ path }) => pathText(path).text)).toEqual(['boot_aggregate', '/init', '/bin/sh'])
    expect(replayed(entries, 'sha1')).toBe('82231c67a69da98dc5b3aa10f6343d33109225fc')
  })
})
