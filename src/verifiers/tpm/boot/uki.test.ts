import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { PHASES } from './phases.ts'
import { predictPcr11, type UkiSection } from './uki.ts'

const sha256 = (...parts: readonly Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(parts)).digest()
const section = (name: UkiSection['name'], content: string): UkiSection => ({ name, digest: sha256(Buffer.from(content)) })
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const after = (...digests: readonly Uint8Array[]): string =>
  hex(digests.reduce<Uint8Array>((value, digest) => sha256(value, digest), new Uint8Array(32)))
const name = (text: string): Buffer => sha256(Buffer.from(`${text}\0`))
const content = (text: string): Buffer => sha256(Buffer.from(text))

describe('the prediction of PCR 11', () => {
  it('extends name and content of each section, in the order of the stub', () => {
    const stub = after(name('.linux'), content('kernel'), name('.cmdline'), content('ro'))
    expect(predictPcr11([section('.cmdline', 'ro'), section('.linux', 'kernel')], [], 'sha256').map(({ value }) => hex(value))).toEqual([
      stub,
    ])
  })

  it('tells each phase behind the one before', () => {
    const told = predictPcr11([section('.linux', 'kernel')], ['enter-initrd', 'leave-initrd'], 'sha256')
    expect(told.map(({ phase, value }) => [phase, hex(value)])).toEqual([
      [null, after(name('.linux'), content('kernel'))],
      ['enter-initrd', after(name('.linux'), content('kernel'), content('enter-initrd'))],
      ['leave-initrd', after(name('.linux'), content('kernel'), content('enter-initrd'), content('leave-initrd'))],
    ])
  })

  it('is as long as the digests of its bank', () => {
    expect(predictPcr11([], PHASES, 'sha384').map(({ value }) => value.length)).toEqual(Array.from({ length: 7 }, () => 48))
    expect(hex(predictPcr11([], [], 'sha512')[0].value)).toBe('00'.repeat(64))
  })
})
