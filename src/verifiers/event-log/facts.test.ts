import { describe, expect, it } from 'vitest'
import { GLOBAL_VARIABLE, aaelBytes, sha384, text, variableBytes } from '../../../test/event-log-bytes.ts'
import { judgeData } from './digests.ts'
import { bootFacts } from './facts.ts'

const PLACES = { secureBoot: 0, applications: 1, commandLine: 2, runtime: 3 }
type Event = { readonly register: number; readonly type: number; readonly data?: Uint8Array; readonly digest?: Uint8Array }

const facts = (...events: readonly Event[]) => {
  const judged = events.map(({ register, type, data, digest = sha384(data ?? new Uint8Array()) }, number) =>
    judgeData({ number, register, type, data, digest }, 'sha384'),
  )
  return bootFacts({ events: judged, hash: 'sha384' }, PLACES)
}
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const DRIVER_CONFIG = 0x80000001
const secureBoot = (...value: readonly number[]): Event => ({
  register: 0,
  type: DRIVER_CONFIG,
  data: variableBytes(GLOBAL_VARIABLE, 'SecureBoot', Uint8Array.from(value)),
})
const separator = (...value: readonly number[]): Event => ({ register: 0, type: 4, data: Uint8Array.from(value) })
const NORMAL = separator(0, 0, 0, 0)
const stateOf = (...events: readonly Event[]): boolean | null => facts(...events).secure_boot

describe('secure boot', () => {
  it.each([
    ['on', secureBoot(1), true],
    ['off', secureBoot(0), false],
    ['unknown to the firmware', secureBoot(), false],
    ['neither', secureBoot(2), null],
    ['neither', secureBoot(1, 0), null],
  ])('is %s', (_, event, state) => {
    expect(stateOf(event, NORMAL)).toBe(state)
  })

  it('is told by the variable of that name and GUID alone', () => {
    for (const [guid, name] of [
      [GLOBAL_VARIABLE, 'SecureBooT'],
      ['cb'.repeat(16), 'SecureBoot'],
    ] as const)
      expect(stateOf({ ...secureBoot(1), data: variableBytes(guid, name, Uint8Array.of(1)) }, NORMAL)).toBeNull()
  })

  it('is told before the separator of its register alone', () => {
    expect(stateOf(secureBoot(1))).toBeNull()
    expect(stateOf(secureBoot(1), { register: 0, type: 0xa, data: text('ACPI DATA') })).toBeNull()
    expect(stateOf(NORMAL, secureBoot(1))).toBeNull()
    expect(stateOf(secureBoot(1), { ...NORMAL, register: 1 })).toBeNull()
    expect(stateOf({ ...secureBoot(1), register: 1 }, NORMAL)).toBeNull()
    expect(stateOf(secureBoot(0), NORMAL, secureBoot(1))).toBe(false)
  })

  it('is not told by firmware that failed', () => {
    expect(stateOf(secureBoot(1), separator(1, 0, 0, 0), NORMAL)).toBeNull()
    expect(stateOf(secureBoot(1), separator(255, 255, 255, 255), NORMAL)).toBeNull()
  })

  it('is not told twice', () => {
    expect(stateOf(secureBoot(1), secureBoot(1), NORMAL)).toBeNull()
    expect(stateOf(secureBoot(0), secureBoot(1), NORMAL)).toBeNull()
  })

  it('does not hang on labels', () => {
    const hidden: Event = { register: 0, type: 0xa, data: text('ACPI DATA'), digest: sha384(secureBoot(0).data ?? text('')) }
    expect(stateOf(hidden, NORMAL)).toBe(false)
    expect(stateOf(hidden, secureBoot(1), NORMAL)).toBeNull()
    const hiddenSeparator: Event = { register: 0, type: 0xa, data: text('x'), digest: sha384(new Uint8Array(4)) }
    expect(stateOf(hiddenSeparator, secureBoot(1), NORMAL)).toBeNull()
  })

  it('is not told by a digest that its data only claim', () => {
    expect(stateOf({ ...secureBoot(1), digest: sha384(text('other')) }, NORMAL)).toBeNull()
  })
})

const image = (fill: number): Uint8Array => sha384(Uint8Array.of(fill))

describe('boot applications', () => {
  const application: Event = { register: 1, type: 0x80000003, data: text('device path'), digest: image(1) }
  const action: Event = { register: 1, type: 0x80000007, data: text('Exit Boot Services Invocation') }
  const applicationsOf = (...events: readonly Event[]): readonly string[] | null => facts(...events).boot_applications

  it('are the digests of their register, in order', () => {
    const second = { ...application, digest: image(0) }
    expect(applicationsOf(application, action, second, application)).toEqual([hex(image(1)), hex(image(0)), hex(image(1))])
    expect(applicationsOf({ ...application, register: 0 })).toBeNull()
  })

  it('are none where everything else is explained', () => {
    expect(applicationsOf(action, { ...NORMAL, register: 1 }, { register: 1, type: 0x80000006, data: text('EFI PART') })).toEqual([])
    expect(applicationsOf()).toBeNull()
  })

  it('cannot hide behind another label', () => {
    for (const type of [0x1, 0xa, 0x8000000a, 0x12345678]) expect(applicationsOf({ ...application, type })).toEqual([hex(image(1))])
  })

  it.each(['MZ', 'PE\0\0', 'VZ'])('cannot hide behind data that begin as an image does: %s', (magic) => {
    const data = text(`${magic}and so on`)
    expect(applicationsOf({ register: 1, type: 0x80000007, data })).toEqual([hex(sha384(data))])
    const variable = variableBytes(GLOBAL_VARIABLE, 'Boot0001', data)
    expect(applicationsOf({ register: 1, type: 0x80000002, data: variable, digest: sha384(data) })).toEqual([hex(sha384(data))])
  })

  it('are not what EDK2 always measures, where the log leaves out the data', () => {
    const digests = [sha384(text('Calling EFI Application from Boot Option')), sha384(new Uint8Array(4)), image(1)]
    expect(applicationsOf(...digests.map((digest) => ({ register: 1, type: 0x80000007, digest })))).toEqual([hex(image(1))])
  })
})

const line = (value: string, prefix = 'kernel_cmdline: '): Event => ({
  register: 2,
  type: 0xd,
  data: text(`${prefix}${value}\0`),
  digest: sha384(text(value)),
})
const lineOf = (...events: readonly Event[]): string | null => facts(...events).kernel_cmdline

describe('the command line', () => {
  it('is the one text of that label', () => {
    expect(lineOf(line('set x', 'grub_cmd: '), line('/vmlinuz ro'), line('initrd /i', 'grub_cmd: '))).toBe('/vmlinuz ro')
    expect(lineOf({ ...line('/vmlinuz ro'), digest: sha384(text('/vmlinuz ro\0')) })).toBe('/vmlinuz ro')
    expect(lineOf(line('set x', 'grub_cmd: '))).toBeNull()
  })

  it('is not told twice, elsewhere, under another type, or without the text that was measured', () => {
    expect(lineOf(line('a'), line('b'))).toBeNull()
    expect(lineOf(line('a'), line('a'))).toBeNull()
    expect(lineOf({ ...line('a'), register: 1 })).toBeNull()
    expect(lineOf({ ...line('a'), type: 0x80000007, digest: sha384(text('kernel_cmdline: a\0')) })).toBeNull()
    expect(lineOf({ ...line('a'), digest: sha384(text('b')) })).toBeNull()
    expect(lineOf({ register: 2, type: 0xd, digest: sha384(text('a')) })).toBeNull()
  })

  it('is text of at most 4096 bytes', () => {
    expect(lineOf(line('a'.repeat(4096)))).toHaveLength(4096)
    expect(lineOf(line('a'.repeat(4097)))).toBeNull()
    const broken = new Uint8Array(Buffer.concat([text('kernel_cmdline: '), Uint8Array.of(0xff)]))
    expect(lineOf({ register: 2, type: 0xd, data: broken, digest: sha384(Uint8Array.of(0xff)) })).toBeNull()
  })
})

const aael = (entry: string): Event => ({ register: 3, type: 6, data: aaelBytes(entry) })
const pull = (content: string): Event => aael(`github.com/confidential-containers PullImage ${content}`)
const imagesOf = (...events: readonly Event[]): readonly string[] | null => facts(...events).container_images
const DIGEST = `sha256:${'0c'.repeat(32)}`

describe('container images', () => {
  it('are the digests of what was pulled, in order', () => {
    const init = aael(`INIT/sha384 ${'00'.repeat(48)}`)
    const other = aael('example.com PullImage {"image":"a","digest":"sha256:00"}')
    expect(imagesOf(init, pull(`{"image":"alpine","digest":"${DIGEST}"}`), other, pull('{"image":"","digest":"sha512:ab"}'))).toEqual([
      DIGEST,
      'sha512:ab',
    ])
    expect(imagesOf(init)).toEqual([])
    expect(imagesOf()).toBeNull()
  })

  it.each([
    'alpine@sha256:00',
    '{"image":"a","digest":"sha256:00","digest":"sha256:01"}',
    '{"digest":"sha256:00"}',
    '{"image":"a\\"","digest":"sha256:00"}',
    '{"image":"a","digest":"SHA256:00"}',
    '',
  ])('in another form are told as they are: %s', (content) => {
    expect(imagesOf(pull(content))).toEqual([content])
  })

  it('are cut at 512 characters', () => {
    expect(imagesOf(pull('a'.repeat(513)))).toEqual(['a'.repeat(512)])
  })

  it('are unknown where an event of the register is', () => {
    const alpine = pull(`{"image":"alpine","digest":"${DIGEST}"}`)
    const hidden: Event = { ...pull('{"image":"b","digest":"sha256:00"}'), type: 0xa }
    expect(imagesOf(alpine, hidden)).toBeNull()
    expect(imagesOf(alpine, { ...hidden, data: text('x') })).toBeNull()
    expect(imagesOf(alpine, { register: 3, type: 6, digest: sha384(text('x')) })).toBeNull()
    expect(imagesOf(alpine, { ...hidden, register: 1 })).toEqual([DIGEST])
  })

  it('are not read from other registers', () => {
    expect(imagesOf({ ...pull(`{"image":"a","digest":"${DIGEST}"}`), register: 1 })).toBeNull()
  })
})
