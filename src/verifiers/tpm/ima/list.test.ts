import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  ascii,
  binary,
  digestField,
  entry,
  fields,
  file,
  signedFile,
  templateData,
  violation,
  type Listed,
} from '../../../../test/ima-lists.ts'
import { AttestationError } from '../../problems.ts'
import { hasItsHash, type ImaEntry } from './entry.ts'
import { ImaList } from './list.ts'

const ALL: readonly Listed[] = [
  entry('ima', fields.hex(Buffer.alloc(20, 7)), ['/bin/with a space', Buffer.from('/bin/with a space')]),
  file('/bin/a', 'a'),
  signedFile('/bin/b', 'b', new Uint8Array()),
  signedFile('/bin/c', 'c', Buffer.from('0304', 'hex')),
  entry('ima-buf', digestField('sha256', Buffer.alloc(32, 1)), fields.text('.ima'), fields.hex(Buffer.from('key'))),
  entry('ima-ngv2', digestField('verity:sha256', Buffer.alloc(32, 2)), fields.text('/bin/d')),
  entry('ima-sigv2', digestField('ima:sha512', Buffer.alloc(64, 3)), fields.text('/bin/e'), fields.hex(new Uint8Array())),
  entry(
    'ima-modsig',
    digestField('sha256', Buffer.alloc(32, 4)),
    fields.text('/lib/m.ko'),
    fields.hex(new Uint8Array()),
    digestField('sha256', Buffer.alloc(32, 5)),
    fields.hex(Buffer.from('PKCS#7')),
  ),
  entry(
    'ima-modsig',
    digestField('sha256', Buffer.alloc(32, 4)),
    fields.text('/lib/n.ko'),
    fields.hex(new Uint8Array()),
    ['', Buffer.alloc(0)],
    fields.hex(new Uint8Array()),
  ),
  entry(
    'evm-sig',
    digestField('sha256', Buffer.alloc(32, 6)),
    fields.text('/bin/f'),
    fields.hex(Buffer.from('05', 'hex')),
    fields.text('security.selinux|security.ima'),
    fields.hex(Buffer.from('0c000000', 'hex')),
    fields.hex(Buffer.from('value')),
    fields.number('1000', Buffer.from('e8030000', 'hex')),
    fields.number('0', Buffer.alloc(4)),
    fields.number('33261', Buffer.from('ed81', 'hex')),
  ),
  violation('/var/log'),
]

async function read(bytes: Uint8Array | AsyncIterable<Uint8Array>): Promise<readonly ImaEntry[]> {
  const list = new ImaList(bytes, 0)
  const entries: ImaEntry[] = []
  for (let next = await list.next(); next !== undefined; next = await list.next()) entries.push(copied(next))
  return entries
}

/** Bytes of an entry are good until the next portion is taken in. */
const copied = ({ templateHash, data, path, digest, ...rest }: ImaEntry): ImaEntry => ({
  number: rest.number,
  template: rest.template,
  templateHash: Buffer.from(templateHash),
  data: Buffer.from(data),
  path: Buffer.from(path),
  digest: { ...digest, bytes: Buffer.from(digest.bytes) },
  ...(rest.signature === undefined ? {} : { signature: Buffer.from(rest.signature) }),
  ...(rest.buffer === undefined ? {} : { buffer: Buffer.from(rest.buffer) }),
})

async function* portions(bytes: Uint8Array, size: number) {
  for (let at = 0; at < bytes.byteLength; at += size) yield bytes.subarray(at, at + size)
}

describe('entries of every template', () => {
  it('are read from ASCII as from binary, with the data that their hash is over', async () => {
    const entries = await read(ascii(ALL))
    expect(entries).toEqual(await read(binary(ALL)))
    expect(entries.map(({ data }) => data)).toEqual(ALL.map(templateData))
    expect(entries.every(hasItsHash)).toBe(true)
    expect(entries.map(({ number }) => number)).toEqual(ALL.map((_, i) => i + 1))
    expect(entries.map(({ template }) => template)).toEqual(ALL.map(({ template }) => template))
    expect(entries.map(({ path }) => path.toString()).slice(0, 3)).toEqual(['/bin/with a space', '/bin/a', '/bin/b'])
    expect(entries.flatMap(({ signature }) => (signature === undefined ? [] : [signature.toString('hex')]))).toEqual([
      '',
      '0304',
      '',
      '',
      '',
    ])
    expect(entries.flatMap(({ buffer }) => (buffer === undefined ? [] : [buffer.toString()]))).toEqual(['key'])
    expect([entries[5]?.digest.of, entries[6]?.digest.of, entries[6]?.digest.algorithm]).toEqual(['verity', 'file', 'sha512'])
  })

  it('are the same in portions of any size', async () => {
    for (const bytes of [ascii(ALL), binary(ALL)]) {
      const [whole, pieces] = [await read(bytes), await Promise.all([1, 3, 50, 1000].map((size) => read(portions(bytes, size))))]
      for (const entries of pieces) expect(entries).toEqual(whole)
    }
  })

  it('may have template hashes of other lengths, all of one list', async () => {
    for (const length of [20, 32, 48, 64]) {
      const list = ALL.map((one) => ({ ...one, templateHash: Buffer.alloc(length, 0xa5) }))
      expect(await read(binary(list))).toEqual(await read(ascii(list)))
    }
  })

  it('are many megabytes long without being held', async () => {
    const one = ascii([file('/bin/a', 'a')])
    let given = 0
    const many = async function* () {
      for (; given < 20_000; given += 1) yield one
    }
    const list = new ImaList(many(), 0)
    let count = 0
    while ((await list.next()) !== undefined) count += 1
    expect([count, given]).toEqual([20_000, 20_000])
  })
})

const DIGEST = `sha256:${'0a'.repeat(32)}`
const HASH = 'ab'.repeat(20)
const LINES: readonly (readonly [string, string])[] = [
  ['of another PCR', `11 ${HASH} ima-ng ${DIGEST} /a`],
  ['of PCR 10 in other words', `010 ${HASH} ima-ng ${DIGEST} /a`],
  ['that is empty', '\n'],
  ['of no known template', `10 ${HASH} ima-xy ${DIGEST} /a`],
  ['whose template is a member of every object', `10 ${HASH} constructor ${DIGEST} /a`],
  ['without fields', `10 ${HASH} ima-ng`],
  ['with a field too few', `10 ${HASH} ima-sig ${DIGEST} /a`],
  ['with a field too many', `10 ${HASH} ima-sig ${DIGEST} /a 00 00`],
  ['with a hash of an odd number of digits', `10 ${HASH}a ima-ng ${DIGEST} /a`],
  ['with a hash of no known length', `10 ${HASH}ab ima-ng ${DIGEST} /a`],
  ['with a hash in capitals', `10 ${HASH.toUpperCase()} ima-ng ${DIGEST} /a`],
  ['with a digest of an odd number of digits', `10 ${HASH} ima-ng ${DIGEST}0 /a`],
  ['with a digest that names no hash', `10 ${HASH} ima-ng ${'0a'.repeat(32)} /a`],
  ['with a digest that names nothing', `10 ${HASH} ima-ng :${'0a'.repeat(32)} /a`],
  ['with a digest of something else', `10 ${HASH} ima-ngv2 dir:${DIGEST} /a`],
  ['without a digest', `10 ${HASH} ima-ng  /a`],
  ['with a path that holds a NUL', `10 ${HASH} ima-ng ${DIGEST} /a\0b`],
  ['of the oldest template with a NUL in its path', `10 ${HASH} ima ${'0a'.repeat(20)} /a\0`],
  ['of the oldest template with a long digest', `10 ${HASH} ima ${'0a'.repeat(32)} /a`],
  ['of the oldest template with a long path', `10 ${HASH} ima ${'0a'.repeat(20)} /${'a'.repeat(255)}`],
  ['with a number that is none', `10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 01 0 0`],
  ['with a number that is too large', `10 ${HASH} evm-sig ${DIGEST} /a 05 x 00 00 0 0 65536`],
  ['that never ends', `10 ${HASH} ima-ng ${DIGEST} /${'a'.repeat(300_000)}`],
]

describe('a list that does not follow its format', () => {
  it.each(LINES)('is refused for a line %s', async (_, line) => {
    const good = `10 ${HASH} ima-ng ${DIGEST} /a\n`
    await expect(read(Buffer.from(good + line))).rejects.toMatchObject({ code: 'tpm-ima-malformed', at: 'ima_log' })
  })

  const [one] = [binary([file('/a', 'a')])]
  const changed = (change: (bytes: Buffer) => void): Buffer => {
    const bytes = Buffer.from(one)
    change(bytes)
    return Buffer.concat([one, bytes])
  }
  const TEMPLATE_AT = 4 + 20
  const DATA_AT = TEMPLATE_AT + 4 + 'ima-ng'.length

  it.each<[string, Buffer]>([
    ['of another PCR', changed((bytes) => bytes.writeUInt32LE(11, 0))],
    ['of a machine of the other byte order', Buffer.from([0, 0, 0, 10])],
    ['of no known template', Buffer.concat([changed((bytes) => bytes.write('x', TEMPLATE_AT + 4)), Buffer.alloc(100)])],
    ['whose field goes on behind its data', changed((bytes) => bytes.writeUInt32LE(1000, DATA_AT + 4))],
    ['whose data is too short for a field', changed((bytes) => bytes.writeUInt32LE(2, DATA_AT))],
    ['whose data is longer than its fields', changed((bytes) => bytes.writeUInt32LE(bytes.readUInt32LE(DATA_AT + 4) - 1, DATA_AT + 4))],
    ['that goes on behind the end of the list', Buffer.concat([one, one]).subarray(0, -1)],
    ['of which there is a beginning only', Buffer.concat([one, one.subarray(0, 3)])],
    ['that claims four gigabytes', Buffer.concat([changed((bytes) => bytes.writeUInt32LE(0xffffffff, DATA_AT)), Buffer.alloc(200_000)])],
    ['of the oldest template with a long path', binary([entry('ima', fields.hex(Buffer.alloc(20)), ['', Buffer.alloc(256, 0x61)])])],
  ])('is refused for a record %s', async (_, bytes) => {
    await expect(read(bytes)).rejects.toMatchObject({ code: 'tpm-ima-malformed' })
  })

  it('is refused with more bytes than any list has', async () => {
    const portion = Buffer.alloc(8 * 1024 * 1024)
    const endless = async function* () {
      for (;;) yield portion
    }
    const list = new ImaList(endless(), 0)
    await expect(list.countRest(async () => {})).rejects.toMatchObject({ code: 'tpm-ima-malformed' })
  })

  it('is refused with more entries than any list has', async () => {
    const list = new ImaList(ascii([file('/a', 'a')]), 1_000_000)
    await expect(list.next()).rejects.toMatchObject({ code: 'tpm-ima-malformed' })
  })
})

describe('any bytes', () => {
  const seeds = [ascii(ALL), binary(ALL)]

  it('are read or refused, and nothing else', async () => {
    const damaged = fc
      .tuple(fc.constantFrom(...seeds), fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }), fc.nat(2000))
      .map(([seed, changes, end]) => {
        const bytes = Buffer.from(seed)
        for (const [at, value] of changes) bytes[at % bytes.byteLength] = value
        return bytes.subarray(0, end)
      })
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.uint8Array({ maxLength: 300 }), damaged), async (bytes) => {
        const entries = await read(bytes).catch((error: unknown) => {
          if (!(error instanceof AttestationError) || error.code !== 'tpm-ima-malformed') throw error
          return []
        })
        // An entry has 26 bytes at least, so work stays bounded by the length.
        expect(entries.length).toBeLessThanOrEqual(bytes.byteLength / 26)
      }),
      { seed: 5, numRuns: 500 },
    )
  })
})
