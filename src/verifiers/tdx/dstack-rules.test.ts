import { describe, expect, it } from 'vitest'
import { sha384 } from '../../../test/event-log-bytes.ts'
import { dstackEvents, preimageOf } from './dstack-events.ts'
import { brokenRule, dstackFacts } from './dstack-rules.ts'
import { DSTACK_RUNTIME_EVENT, type DstackEntry } from './dstack.ts'

const SYSTEM = ['system-preparing', 'app-id', 'compose-hash', 'instance-id', 'boot-mr-done', 'key-provider', 'storage-fs', 'system-ready']

const entry = (name: string, changes: Partial<DstackEntry> = {}): DstackEntry => ({
  number: 0,
  imr: 3,
  type: DSTACK_RUNTIME_EVENT,
  digest: undefined,
  name,
  payload: new Uint8Array(Buffer.from(`<${name}>`)),
  version: 1,
  preimage: undefined,
  ...changes,
})
const log = (...entries: readonly (string | DstackEntry)[]): readonly DstackEntry[] =>
  entries.map((event, number) => ({ ...(typeof event === 'string' ? entry(event) : event), number }))
const whole = (...more: readonly (string | DstackEntry)[]): readonly DstackEntry[] => log(...SYSTEM, ...more)
const hex = (value: string): string => Buffer.from(value).toString('hex')

describe('the digest of a runtime event', () => {
  it('is over type, name and payload, joined by colons', () => {
    const event = entry('app-id', { payload: Uint8Array.of(0xde, 0xad) })
    expect(Buffer.from(preimageOf(event)).toString('hex')).toBe('01000008' + hex(':app-id:') + 'dead')
  })

  it('is over canonical JSON in version 2', () => {
    const event = entry('a"b\\\n\u0001é', { payload: Uint8Array.of(0xde, 0xad), version: 2 })
    expect(Buffer.from(preimageOf(event)).toString()).toBe(String.raw`{"name":"a\"b\\\n\u0001é","payload":"dead","type":134217729}`)
  })

  it('is computed, whatever the log says', () => {
    const event = entry('app-id')
    const [lying] = dstackEvents([{ ...event, digest: new Uint8Array(48) }])
    expect(lying).toMatchObject({ register: 3, digest: sha384(preimageOf(event)), measured: preimageOf(event), mismatch: false })
  })

  it('of boot events is kept, and an empty payload is data left out', () => {
    const boot = { imr: 0, type: 4, digest: new Uint8Array(sha384(new Uint8Array(4))) } as const
    const [full, empty, lie] = dstackEvents([
      entry('', { ...boot, payload: new Uint8Array(4) }),
      entry('', { ...boot, payload: new Uint8Array() }),
      entry('', { ...boot, payload: Uint8Array.of(1) }),
    ])
    expect(full).toMatchObject({ register: 0, digest: boot.digest, measured: new Uint8Array(4), mismatch: false })
    expect(empty).toMatchObject({ digest: boot.digest, measured: undefined, mismatch: false })
    expect(lie).toMatchObject({ digest: boot.digest, measured: undefined, mismatch: true })
  })
})

describe('the rules of runtime events', () => {
  it.each<[string, readonly DstackEntry[]]>([
    ['the whole of a boot and events of an application', whole('mine', 'mine', 'other')],
    ['other events in their place', log(...SYSTEM.slice(0, 5), 'mr-kms', 'os-image-hash', 'system-ready')],
    ['events of the system that have no name here', log('something', ...SYSTEM)],
    ['a boot that is not done', log('system-preparing', 'app-id', 'compose-hash')],
    ['boot events beside them', log(entry('', { imr: 1, type: 4 }), ...SYSTEM)],
    ['version 2 with a colon', whole(entry('a:b', { version: 2 }))],
    ['no event', []],
  ])('hold for %s', (_, events) => {
    expect(brokenRule(events)).toBeUndefined()
  })

  it.each<[string, readonly DstackEntry[], string]>([
    ['a second compose-hash at the end', whole('compose-hash'), 'event 8 is a second compose-hash'],
    ['a first os-image-hash at the end', whole('os-image-hash'), 'event 8 is os-image-hash behind system-ready'],
    ['a second system-ready', whole('system-ready'), 'event 8 is a second system-ready'],
    ['app-id twice before boot-mr-done', log('app-id', 'app-id'), 'event 1 is a second app-id'],
    ['app-id behind boot-mr-done', log('boot-mr-done', 'app-id'), 'event 1 is app-id between boot-mr-done and system-ready'],
    ['key-provider before boot-mr-done', log('key-provider'), 'event 0 is key-provider before boot-mr-done'],
    ['system-ready before boot-mr-done', log('app-id', 'system-ready'), 'event 1 is system-ready before boot-mr-done'],
    ['a colon in a name', whole(entry('a:b')), 'event 8 has a colon in its name'],
    ['a runtime event in RTMR2', whole(entry('x', { imr: 2 })), 'event 8 is a runtime event outside RTMR3'],
    ['a boot event in RTMR3', whole(entry('', { type: 4 })), 'event 8 in RTMR3 is no runtime event'],
    ['another digest', whole(entry('x', { digest: new Uint8Array(48) })), 'event 8 has another digest than its name and payload'],
    ['another preimage', whole(entry('x', { preimage: '' })), 'event 8 has another preimage than its name and payload'],
    ['two faults, the first of them', log('app-id', entry('a:b'), 'app-id'), 'event 1 has a colon in its name'],
    ['two faults, in the other order', log('app-id', 'app-id', entry('a:b')), 'event 1 is a second app-id'],
  ])('are broken by %s', (_, events, why) => {
    expect(brokenRule(events)).toBe(why)
  })

  it('hold for every name of the system once', () => {
    for (const name of SYSTEM) expect(brokenRule(whole(name))).toMatch(/^event 8 is a second /)
  })

  it('hold for digests and preimages that are right', () => {
    const event = entry('x', { version: 2 })
    const preimage = Buffer.from(preimageOf(event))
    const digest = new Uint8Array(sha384(preimage))
    for (const supplied of [preimage.toString('hex'), preimage.toString()])
      expect(brokenRule(whole({ ...event, digest, preimage: supplied }))).toBeUndefined()
    expect(brokenRule(whole({ ...event, preimage: preimage.toString().replace('{', '{ ') }))).toMatch(/another preimage/)
  })
})

describe('the facts of runtime events', () => {
  it('are their payloads', () => {
    const events = log(...SYSTEM.slice(0, 5), 'os-image-hash', ...SYSTEM.slice(5), 'mine', entry('boot', { imr: 0, type: 4 }), 'other')
    expect(dstackFacts(events)).toEqual({
      app_id: hex('<app-id>'),
      compose_hash: hex('<compose-hash>'),
      instance_id: hex('<instance-id>'),
      key_provider: '<key-provider>',
      os_image_hash: hex('<os-image-hash>'),
      app_events: [
        { name: 'mine', payload: hex('<mine>') },
        { name: 'other', payload: hex('<other>') },
      ],
    })
  })

  it('are null where there is no event, and none of an application before system-ready', () => {
    expect(dstackFacts(log('system-preparing', 'mine', entry('key-provider', { payload: Uint8Array.of(0xff) })))).toEqual({
      app_id: null,
      compose_hash: null,
      instance_id: null,
      key_provider: null,
      os_image_hash: null,
      app_events: [],
    })
  })
})
