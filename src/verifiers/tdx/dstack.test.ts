import { describe, expect, it } from 'vitest'
import { AttestationError } from '../problems.ts'
import { parseDstackLog, type DstackEntry } from './dstack.ts'

const EVENT = { imr: 3, event_type: 0x08000001, digest: '', event: 'app-id', event_payload: '00ff' }
const BOOT = { imr: 0, event_type: 4, digest: 'ab'.repeat(48), event: '', event_payload: '00000000' }

const bytes = (log: unknown): Uint8Array => new Uint8Array(Buffer.from(typeof log === 'string' ? log : JSON.stringify(log)))

function outcome(log: unknown): readonly DstackEntry[] | string {
  try {
    return parseDstackLog(bytes(log))
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return `${error.code} ${error.at}: ${error.message.replace('runtime_log: ', '')}`
  }
}

describe('a runtime log of dstack', () => {
  it('is read event by event', () => {
    expect(outcome([BOOT, { ...EVENT, version: 2, preimage: '{}', later: [1] }])).toEqual([
      {
        number: 0,
        imr: 0,
        type: 4,
        digest: new Uint8Array(48).fill(0xab),
        name: '',
        payload: new Uint8Array(4),
        version: 1,
        preimage: undefined,
      },
      {
        number: 1,
        imr: 3,
        type: 0x08000001,
        digest: undefined,
        name: 'app-id',
        payload: Uint8Array.of(0, 255),
        version: 2,
        preimage: '{}',
      },
    ])
    expect(outcome([])).toEqual([])
    const { digest: _, ...without } = EVENT
    expect(outcome([without])).toEqual(outcome([EVENT]))
  })

  it.each<[string, unknown, string]>([
    ['no JSON', '[{]', 'the runtime_log is not JSON'],
    ['an object', {}, 'is not an array'],
    ['an array of others', [1], 'event 0 is not an object'],
    ['an array of arrays', [EVENT, [EVENT]], 'event 1 is not an object'],
    ['an array of null', [null], 'event 0 is not an object'],
    ['a member twice', JSON.stringify([EVENT]).replace('{', '{"event":"app-id",'), 'a member appears a second time at character 62'],
    ['nesting', '['.repeat(33) + ']'.repeat(33), 'nesting is deeper than 32 at character 32'],
    ['imr 4', [{ ...EVENT, imr: 4 }], 'event 0.imr is not one of 0, 1, 2, 3'],
    ['imr as text', [{ ...EVENT, imr: '3' }], 'event 0.imr is not one of 0, 1, 2, 3'],
    ['no imr', [{ ...EVENT, imr: undefined }], 'event 0.imr is not one of 0, 1, 2, 3'],
    ['version 3', [{ ...EVENT, version: 3 }], 'event 0.version is not one of 1, 2'],
    ['a type of 33 bits', [{ ...EVENT, event_type: 2 ** 32 }], 'event 0.event_type is not a number of 32 bits'],
    ['a negative type', [{ ...EVENT, event_type: -1 }], 'event 0.event_type is not a number of 32 bits'],
    ['a type of halves', [{ ...EVENT, event_type: 4.5 }], 'event 0.event_type is not a number of 32 bits'],
    ['no type', [{ ...EVENT, event_type: undefined }], 'event 0.event_type is not a number of 32 bits'],
    ['no name', [{ ...EVENT, event: undefined }], 'event 0.event is not text'],
    ['half a character', JSON.stringify([EVENT]).replace('app-id', String.raw`\ud800`), 'event 0.event is not text'],
    ['no payload', [{ ...EVENT, event_payload: undefined }], 'event 0.event_payload is not text'],
    ['a payload in upper case', [{ ...EVENT, event_payload: '00FF' }], 'event 0.event_payload is not hex in lower case'],
    ['half a byte', [{ ...EVENT, event_payload: '00f' }], 'event 0.event_payload is not hex in lower case'],
    ['a preimage that is no text', [{ ...EVENT, preimage: null }], 'event 0.preimage is not text'],
    ['a digest that is no text', [{ ...EVENT, digest: 1 }], 'event 0.digest is not text'],
    ['a short digest', [{ ...EVENT, digest: 'ab'.repeat(47) }], 'event 0.digest is not 48 bytes in hex'],
    ['a boot event without digest', [{ ...BOOT, digest: '' }], 'event 0.digest is not 48 bytes in hex'],
    ['4097 events', Array.from({ length: 4097 }, () => 0), '4097 events are more than 4096'],
    ['a hundred thousand members', Array.from({ length: 98_304 }, () => 0), 'more than 98304 values and members'],
    ['over 1 MiB', ' '.repeat(1_048_577), '1048577 bytes are more than 1048576'],
  ])('is refused with %s', (_, log, why) => {
    expect(outcome(log)).toBe(`tdx-event-log-malformed runtime_log: ${why}`)
  })

  it('is refused when it is not UTF-8', () => {
    expect(() => parseDstackLog(Uint8Array.of(0x22, 0xff, 0x22))).toThrow('the runtime_log is not UTF-8')
  })

  it('may have 4096 full events', () => {
    const full = { ...EVENT, version: 2, preimage: '' }
    expect(outcome(Array.from({ length: 4096 }, () => full))).toHaveLength(4096)
  })
})
