import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bootLog, HOST } from '../../../test/boot-log.ts'
import { freshMemo } from '../../../test/snp-in-process.ts'
import {
  akNameOf,
  FIRMWARE_PCRS,
  pcrValue,
  TEST_AKS,
  TEST_NONCE,
  testEvidence,
  tpmOutcome,
  type QuoteChanges,
} from '../../../test/tpm-quotes.ts'
import { anchorsOf } from '../anchors.ts'
import { verify } from '../registry.ts'
import type { PreviousQuote } from './context.ts'

const ALL_OF = (bank: 'sha1' | 'sha256' | 'sha384') => [{ bank, pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }]
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('evidence of an enrolled key', () => {
  it.each(Object.entries(TEST_AKS))('is accepted with a signature by %s', async (_, ak) => {
    const evidence = testEvidence([{}], ak)
    const { finding, codes } = await tpmOutcome(evidence)
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm).toMatchObject({
      ak: {
        name: akNameOf(evidence),
        ...ak.scheme,
        attributes_verified: true,
        st_clear: false,
        qualified_signer: `000b${'a5'.repeat(32)}`,
        qualified_signer_verified: null,
      },
      ak_trust: 'enrolled-ak',
      ak_certificate: null,
      clock: { clock: '5840', reset_count: 2, restart_count: 0, safe: true, rebooted: null },
      firmware_version: '2019102300163636',
      firmware_version_reliable: false,
      bank: 'sha256',
      quoted_banks: ['sha256'],
      boot: null,
      ima: null,
    })
    expect(finding?.claims?.tpm?.pcrs).toEqual(
      Object.fromEntries([0, 1, 2, 3, 4, 5, 6, 7].map((pcr) => [pcr, hexOf(pcrValue('sha256', pcr))])),
    )
  })

  it('leaves behind by what its next quote is held against', async () => {
    const evidence = testEvidence()
    const unverified = await verify(evidence, anchorsOf([]), { mode: 'test', memo: freshMemo() })
    const { finding } = await tpmOutcome(evidence)
    expect(finding?.remains).toEqual({
      akId: finding?.claims?.tpm?.ak.spki_sha256,
      quote: { clock: 5840n, resetCount: 2, restartCount: 0 },
    })
    expect(unverified.akId).toBe(finding?.remains?.akId)
    expect(unverified.needs).toEqual([])
  })

  it('says that the clock is not safe where one quote says so, and tells the latest', async () => {
    const { finding } = await tpmOutcome(testEvidence([{ attest: { clock: 9n, safe: 0 } }, { attest: { clock: 8n } }]))
    expect(finding?.claims?.tpm?.clock).toMatchObject({ clock: '9', safe: false })
  })

  it('tells that the key dies with a reset', async () => {
    const { finding } = await tpmOutcome(testEvidence([{}], TEST_AKS.p256, { attributes: 0x0005_0076 }))
    expect(finding?.claims?.tpm?.ak.st_clear).toBe(true)
  })
})

/** The check of a signature that is salted so. */
const salted = async (salt: 'digest' | 'longest' | number) =>
  (await tpmOutcome(testEvidence([{ scheme: { scheme: 'rsapss', hash: 'sha256', salt } }], TEST_AKS.rsapss))).checks.find(
    ({ id }) => id === 'TPM-17',
  )

describe('signatures', () => {
  it('by RSAPSS are accepted with the two salts of TPMs and no other', async () => {
    expect(await salted('digest')).toMatchObject({ outcome: 'pass', actual: 'rsapss sha256, salt 32' })
    expect(await salted('longest')).toMatchObject({ outcome: 'pass', actual: 'rsapss sha256, salt 222' })
    await Promise.all(
      [0, 20, 31, 33, 64, 221].map(async (salt) => expect(await salted(salt)).toMatchObject({ code: 'tpm-signature-invalid' })),
    )
  })

  it('are all verified, also that of a weak bank beside a strong one', async () => {
    const evidence = testEvidence([{}, { selections: ALL_OF('sha1') }])
    const [good, weak] = evidence.quotes
    if (good === undefined || weak === undefined) throw new Error('two quotes')
    const { codes } = await tpmOutcome({ ...evidence, quotes: [good, { ...weak, signature: good.signature }] })
    expect(codes).toEqual(['tpm-signature-invalid'])
  })
})

describe('several quotes', () => {
  it('have the strongest permitted bank relied on, and a weak one beside it does no harm', async () => {
    const { finding } = await tpmOutcome(testEvidence([{}, { selections: ALL_OF('sha1') }, { selections: ALL_OF('sha384') }]))
    expect(finding?.claims?.tpm).toMatchObject({ bank: 'sha384', quoted_banks: ['sha256', 'sha1', 'sha384'] })
  })

  it('have the bank relied on that has all PCRs which are needed', async () => {
    const evidence = testEvidence([{ selections: [...ALL_OF('sha256'), { bank: 'sha384', pcrs: [7] }] }])
    expect((await tpmOutcome(evidence, { rigour: { requiredPcrs: [4, 7] } })).finding?.claims?.tpm?.bank).toBe('sha256')
    expect((await tpmOutcome(evidence, { rigour: { requiredPcrs: [7] } })).finding?.claims?.tpm?.bank).toBe('sha384')
  })

  it('of one bank are taken together', async () => {
    const halves = [{ selections: [{ bank: 'sha256', pcrs: [0, 1] }] }, { selections: [{ bank: 'sha256', pcrs: [1, 7] }] }] as const
    const { finding } = await tpmOutcome(testEvidence(halves), { rigour: { requiredPcrs: [0, 7] } })
    expect(Object.keys(finding?.claims?.tpm?.pcrs ?? {})).toEqual(['0', '1', '7'])
  })

  it.each<[string, QuoteChanges]>([
    ['another reset count', { attest: { resetCount: 3 } }],
    ['another restart count', { attest: { restartCount: 1 } }],
    ['another qualified signer', { attest: { qualifiedSigner: new Uint8Array(34).fill(1) } }],
    ['another value of a PCR', { values: { sha256: { 0: new Uint8Array(32) } }, selections: [{ bank: 'sha256', pcrs: [0] }] }],
  ])('are refused with %s', async (_, changes) => {
    expect((await tpmOutcome(testEvidence([{}, changes]))).codes).toEqual(['tpm-quotes-inconsistent'])
  })

  it('are refused with another nonce', async () => {
    const { codes } = await tpmOutcome(testEvidence([{}, { attest: { extraData: TEST_NONCE.subarray(1) } }]))
    expect(codes).toEqual(['tpm-nonce-mismatch', 'tpm-quotes-inconsistent'])
  })

  it.each([0, 5])('are one to four, not %d', async (count) => {
    const { codes } = await tpmOutcome(testEvidence(Array.from({ length: count }, () => ({}))))
    expect(codes[0]).toBe('evidence-malformed')
  })
})

/** A quote behind the last one. */
const after = async (previousQuote: PreviousQuote) => {
  const evidence = testEvidence([{ attest: { clock: 100n, resetCount: 7, restartCount: 1 } }])
  return tpmOutcome(evidence, { context: { tpm: { previousQuote } } })
}

describe('the last quote that was accepted', () => {
  it.each<[string, PreviousQuote, boolean]>([
    ['the same moment', { clock: 100n, resetCount: 7, restartCount: 1 }, false],
    ['an earlier boot with a higher clock', { clock: 999n, resetCount: 6, restartCount: 9 }, true],
    ['counters that wrapped', { clock: 1n, resetCount: 0xffff_ffff, restartCount: 0 }, true],
  ])('may be followed: %s', async (_, previous, rebooted) => {
    const { finding, codes } = await after(previous)
    expect(codes).toEqual([])
    expect(finding?.claims?.tpm?.clock.rebooted).toBe(rebooted)
  })

  it.each<[string, PreviousQuote]>([
    ['a later clock', { clock: 101n, resetCount: 7, restartCount: 1 }],
    ['a later boot', { clock: 1n, resetCount: 8, restartCount: 0 }],
    ['a later restart', { clock: 1n, resetCount: 7, restartCount: 2 }],
    ['a record that cannot be read', 'strictest'],
  ])('refuses what is older: %s', async (_, previous) => {
    const { finding, codes } = await after(previous)
    expect(codes).toEqual(['tpm-clock-regressed'])
    expect(finding?.claims).toBeUndefined()
    expect(finding?.remains).toBeUndefined()
  })

  it('refuses evidence of which one quote is older', async () => {
    const evidence = testEvidence([{ attest: { clock: 100n } }, { attest: { clock: 50n } }])
    const previousQuote = { clock: 60n, resetCount: 2, restartCount: 0 }
    expect((await tpmOutcome(evidence, { context: { tpm: { previousQuote } } })).codes).toEqual(['tpm-clock-regressed'])
  })
})

describe('what was not asked', () => {
  it('is a skipped check: the nonce', async () => {
    const { finding, checks } = await tpmOutcome(testEvidence(), { context: { extraData: undefined } })
    expect(checks.find(({ id }) => id === 'TPM-32')?.outcome).toBe('skip')
    expect(finding?.claims?.tpm).toBeDefined()
  })

  it('is a skipped check: an IMA list without rules for it, which is not even read', async () => {
    let reads = 0
    const imaLog = (async function* () {
      reads += 1
      yield new Uint8Array(1)
    })()
    const { checks, finding } = await tpmOutcome({ ...testEvidence(), imaLog })
    expect(checks.find(({ id }) => id === 'TPM-61')).toMatchObject({ outcome: 'skip', actual: 'the policy does not evaluate it' })
    expect([reads, finding?.claims?.tpm?.ima]).toEqual([0, null])
  })
})

describe('trust in the key', () => {
  it('is needed: nothing but the key itself is untrusted', async () => {
    const { finding, codes } = await tpmOutcome(testEvidence(), { rigour: { akTrust: ['ak-cert', 'ek-activation'] } })
    expect(codes).toEqual(['tpm-ak-untrusted'])
    expect(finding?.claims).toBeUndefined()
  })

  it('is needed: evidence without a key at all', async () => {
    const { akPublic: _, ...evidence } = testEvidence()
    const { finding, codes, checks } = await tpmOutcome(evidence)
    expect(codes).toEqual(['tpm-ak-untrusted'])
    expect(checks.find(({ id }) => id === 'TPM-17')?.outcome).toBe('skip')
    expect(finding?.claims).toBeUndefined()
  })

  it('is not asked where the signature does not verify', async () => {
    const [quote] = testEvidence([{}], {
      ...TEST_AKS.p256,
      privateKey: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
    }).quotes
    if (quote === undefined) throw new Error('one quote')
    const { codes, checks } = await tpmOutcome({ ...testEvidence(), quotes: [quote] })
    expect(codes).toEqual(['tpm-signature-invalid'])
    expect(checks.some(({ id }) => id === 'TPM-18')).toBe(false)
  })
})

describe('facts of a key', () => {
  it('are remembered by the bytes of its public area, and failures are not', async () => {
    const memo = freshMemo()
    const context = { memo }
    const first = await tpmOutcome(testEvidence(), { context })
    const second = await tpmOutcome(testEvidence(), { context })
    expect(second.checks.map(({ id, outcome }) => [id, outcome])).toEqual(first.checks.map(({ id, outcome }) => [id, outcome]))
    const unrestricted = testEvidence([{}], TEST_AKS.p256, { attributes: 0x0004_0072 })
    expect((await tpmOutcome(unrestricted, { context })).codes).toEqual(['tpm-ak-not-restricted'])
    expect((await tpmOutcome(unrestricted, { context })).codes).toEqual(['tpm-ak-not-restricted'])
  })
})

it('lets others work while it judges a log', async () => {
  let asked = 0
  const pause = (): undefined => void (asked += 1)
  await tpmOutcome({ ...testEvidence(), eventLog: bootLog(HOST) }, { context: { tpm: { pause } } })
  expect(asked).toBeGreaterThan(0)
})

it('lists every check once, in the order in which they are asked', async () => {
  const { checks } = await tpmOutcome(testEvidence([{ selections: FIRMWARE_PCRS }]))
  const ids = checks.map(({ id }) => id)
  expect(ids.slice(0, 17)).toEqual(
    ['01', '02', '03', '04', '05', '06', '07', '08', '09', '10', '11', '12', '16', '33', '14', '13', '17'].map((n) => `TPM-${n}`),
  )
  expect(ids.slice(ids.indexOf('TPM-15'))).toEqual(['15', '32', '34', '35', '36', '37', '38', '39', '43', '61'].map((n) => `TPM-${n}`))
})
