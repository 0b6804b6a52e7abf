import { describe, expect, it } from 'vitest'
import { ascii, binary, entry, fields, file } from '../../../../test/ima-lists.ts'
import { ImaList } from './list.ts'

/** Reads a list to its end. */
async function read(bytes: Uint8Array | AsyncIterable<Uint8Array>, before = 0): Promise<number> {
  const list = new ImaList(bytes, before)
  let count = 0
  while ((await list.next()) !== undefined) count += 1
  return count
}

const DIGEST = `sha256:${'0a'.repeat(32)}`
const HASH = 'ab'.repeat(20)
const GOOD = `10 ${HASH} ima-ng ${DIGEST} /a\n`
const FIELDS = 'its fields are not those of its template'
const LENGTH = 'its template hash is of no known length'
const TEMPLATE = 'is of no known template'
const NAMED = 'its digest does not name a hash'
const ROOM = 'its digest or path is none that its template has room for'
const NUL = 'its path does not end with its only NUL'

describe('a list in ASCII that is refused names the entry and what is wrong', () => {
  it.each([
    ['is not of PCR 10', `11 ${HASH} ima-ng ${DIGEST} /a`],
    ['is not of PCR 10', '\n'],
    [LENGTH, `10 ${HASH}ab ima-ng ${DIGEST} /a`],
    [LENGTH, `10 ${HASH.toUpperCase()} ima-ng ${DIGEST} /a`],
    [LENGTH, `10 ${HASH}a ima-ng ${DIGEST} /a`],
    [TEMPLATE, `10 ${HASH} ima-xy ${DIGEST} /a`],
    [TEMPLATE, `10 ${HASH} constructor ${DIGEST} /a`],
    [TEMPLATE, `10 ${HASH} ima-ng`],
    [FIELDS, `10 ${HASH} ima-sig ${DIGEST} /a`],
    [FIELDS, `10 ${HASH} ima-sig ${DIGEST} /a 00 00`],
    [FIELDS, `10 ${HASH} ima-ng ${'0a'.repeat(32)} /a`],
    [FIELDS, `10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 01 0 0`],
    [FIELDS, `10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 0 0 65536`],
    [FIELDS, `10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 4294967296 0 0`],
    [NAMED, `10 ${HASH} ima-ng  /a`],
    [NAMED, `10 ${HASH} ima-ng :${'0a'.repeat(32)} /a`],
    [NAMED, `10 ${HASH} ima-ngv2 dir:${DIGEST} /a`],
    [NAMED, `10 ${HASH} ima-ng ${'x'.repeat(33)}:${'0a'.repeat(32)} /a`],
    [NUL, `10 ${HASH} ima-ng ${DIGEST} /a\0b`],
    [ROOM, `10 ${HASH} ima ${'0a'.repeat(20)} /a\0`],
    [ROOM, `10 ${HASH} ima ${'0a'.repeat(32)} /a`],
    [ROOM, `10 ${HASH} ima ${'0a'.repeat(20)} /${'a'.repeat(255)}`],
    ['is longer than 131072 bytes', `10 ${HASH} ima-ng ${DIGEST} /${'a'.repeat(300_000)}`],
  ])('%s: %#', async (why, line) => {
    const error = { code: 'tpm-ima-malformed', at: 'ima_log', message: `entry 2 of the IMA list: ${why}` }
    await expect(read(Buffer.from(GOOD + line))).rejects.toMatchObject(error)
  })

  it('counts entries on from those that were seen before', async () => {
    await expect(read(Buffer.from(`${GOOD}11`), 40)).rejects.toMatchObject({ message: 'entry 42 of the IMA list: is not of PCR 10' })
  })
})

const [one] = [binary([file('/a', 'a')])]
const TEMPLATE_AT = 4 + 20
const DATA_AT = TEMPLATE_AT + 4 + 'ima-ng'.length
/** A good record and one that was changed. */
function changed(change: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.from(one)
  change(bytes)
  return Buffer.concat([one, bytes])
}
const LONG = binary([entry('ima', fields.hex(Buffer.alloc(20)), ['', Buffer.alloc(256, 0x61)])])

describe('a list in binary that is refused names the entry and what is wrong', () => {
  it.each<[string, Buffer]>([
    ['is not of PCR 10', changed((bytes) => bytes.writeUInt32LE(11, 0))],
    [TEMPLATE, Buffer.concat([changed((bytes) => bytes.write('x', TEMPLATE_AT + 4)), Buffer.alloc(100)])],
    ['a field goes on behind the end of its data', changed((bytes) => bytes.writeUInt32LE(1000, DATA_AT + 4))],
    ['a field goes on behind the end of its data', changed((bytes) => bytes.writeUInt32LE(2, DATA_AT))],
    [
      'has more data than its template has fields',
      Buffer.concat([changed((bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(DATA_AT) + 1, DATA_AT)), Buffer.alloc(1)]),
    ],
    ['goes on behind the end of the list', Buffer.concat([one, one]).subarray(0, -1)],
    ['its path is longer than its template has room for', Buffer.concat([one, LONG])],
    ['is longer than 131072 bytes', Buffer.concat([changed((bytes) => bytes.writeUInt32LE(0xffffffff, DATA_AT)), Buffer.alloc(200_000)])],
  ])('%s: %#', async (why, bytes) => {
    const error = { code: 'tpm-ima-malformed', at: 'ima_log', message: `entry 2 of the IMA list: ${why}` }
    await expect(read(bytes)).rejects.toMatchObject(error)
  })
})

describe('the bounds of a list', () => {
  it('are 64 MiB', async () => {
    const portion = Buffer.from(`${GOOD.slice(0, -1).padEnd(65_535, 'a')}\n`)
    const portions = (count: number) =>
      (async function* () {
        for (let given = 0; given < count; given += 1) yield portion
      })()
    expect(await read(portions(1024))).toBe(1024)
    await expect(read(portions(1025))).rejects.toMatchObject({ message: 'entry 1025 of the IMA list: more than 67108864 bytes' })
  })

  it('are a million entries, those included that were seen before', async () => {
    expect(await read(ascii([file('/a', 'a')]), 999_999)).toBe(1)
    const message = 'entry 1000001 of the IMA list: is one more than 1000000'
    await expect(read(ascii([file('/a', 'a')]), 1_000_000)).rejects.toMatchObject({ message })
  })

  it('of the oldest template are 20 bytes of digest and 255 of path', async () => {
    expect(await read(Buffer.from(`10 ${HASH} ima ${'0a'.repeat(20)} /${'a'.repeat(254)}`))).toBe(1)
  })

  it('of numbers are two and four bytes', async () => {
    expect(await read(Buffer.from(`10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 4294967295 0 65535`))).toBe(1)
  })
})
