import { hash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ascii, bootAggregate, contentDigest, file, pcr10 } from '../../../../test/ima-lists.ts'
import { judgeIma, type ImaInput } from './judge.ts'
import type { ImaRules } from './rules.ts'

const FIRST_PCRS = Array.from({ length: 10 }, (_, i) => hash('sha256', `PCR ${i}`, 'buffer'))
const LIST = [bootAggregate(FIRST_PCRS), file('/bin/a', 'a')]
const QUOTED = new Map<number, Uint8Array>([...FIRST_PCRS.map((pcr, i) => [i, pcr] as const), [10, pcr10(LIST, 'sha256')]])
const RULES: ImaRules = {
  bootAggregate: 'verify',
  legacyPadding: 'refuse',
  digests: new Map([['/bin/a', new Set([`sha256:${contentDigest('a').toString('hex')}`])]]),
  isExcluded: () => false,
  keyrings: new Map(),
  ignoredKeyrings: new Set(),
  buffers: new Map(),
  signers: [],
}
const INPUT: ImaInput = {
  imaLog: ascii(LIST),
  rules: RULES,
  bank: 'sha256',
  pcrs: QUOTED,
  quotedBanks: new Map([['sha256', QUOTED]]),
  akName: '000b',
  clock: { clock: 1000n, resetCount: 3, restartCount: 1 },
  state: undefined,
  now: new Date('2026-11-24T12:00:00Z'),
}

/** `id outcome actual` of every check. */
async function told(change: Partial<ImaInput> = {}): Promise<readonly string[]> {
  const { checks } = await judgeIma({ ...INPUT, ...change })
  return checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
}
const lines = (text: string): Uint8Array => Buffer.concat([ascii(LIST.slice(0, 1)), Buffer.from(text)])

describe('the checks of an IMA list say what was found', () => {
  it('where it leads to PCR 10', async () => {
    expect(await told()).toEqual([
      'TPM-61 pass 2 entries',
      'TPM-62 pass 2 entries',
      'TPM-63 pass 2 entries',
      'TPM-69 skip the whole list is here',
    ])
  })

  it('where it cannot be read', async () => {
    const why = 'entry 2 of the IMA list: is not of PCR 10'
    expect(await told({ imaLog: lines('11 x') })).toEqual([`TPM-61 fail ${why}`, 'TPM-69 skip the whole list is here'])
  })

  it('where an entry has another hash than its data', async () => {
    const line = ascii(LIST).toString().replace('/bin/a', '/bin/c')
    expect(await told({ imaLog: Buffer.from(line) })).toEqual([
      'TPM-61 pass 1 entries',
      'TPM-62 fail entry 2 has another',
      'TPM-69 skip the whole list is here',
    ])
  })

  it('where it leads elsewhere', async () => {
    expect(await told({ imaLog: lines('') })).toEqual([
      'TPM-61 pass 1 entries',
      'TPM-62 pass 1 entries',
      'TPM-63 fail 1 entries',
      'TPM-69 skip the whole list is here',
    ])
  })

  it('where PCR 10 is not quoted', async () => {
    expect(await told({ pcrs: new Map() })).toEqual(['TPM-63 fail PCR 10 is not quoted', 'TPM-69 skip the whole list is here'])
  })

  it('with their titles, and what is expected', async () => {
    const { checks } = await judgeIma({ ...INPUT, imaLog: lines('') })
    expect(checks[2]).toMatchObject({
      title: 'A beginning of the list leads to PCR 10',
      code: 'tpm-ima-replay-mismatch',
      expected: 'the quoted value of PCR 10, behind one entry or more',
    })
  })
})

const stateOf = async () => (await judgeIma(INPUT)).state

describe('the check of a state that is continued says what was found', () => {
  const nothing = new Uint8Array()

  it('where it is of this boot', async () => {
    expect((await told({ state: await stateOf(), imaLog: nothing })).at(-1)).toBe('TPM-69 pass 2 entries before')
  })

  it('where it is another, or an older one', async () => {
    const state = await stateOf()
    expect(await told({ state, imaLog: nothing, akName: '000c' })).toEqual(['TPM-69 fail another, or an older one'])
    expect(await told({ state, imaLog: nothing, clock: { ...INPUT.clock, clock: 999n } })).toEqual([
      'TPM-69 fail a quote from before the state',
    ])
  })
})
