import { hash } from 'node:crypto'

/** One entry of an IMA list as the kernel would write it; for tests. */
export type Listed = {
  readonly template: string
  /** Fields as template data holds them: their ASCII form and their bytes. */
  readonly fields: readonly (readonly [ascii: string, bytes: Buffer])[]
  /** The hash that the list shows; absent: SHA-1 of the data. Zeros: a violation. */
  readonly templateHash?: Buffer
}

const text = (value: string): readonly [string, Buffer] => [value, Buffer.from(`${value}\0`)]
const hexField = (value: Uint8Array): readonly [string, Buffer] => [Buffer.from(value).toString('hex'), Buffer.from(value)]

/** `sha256:` and a digest. */
export const digestField = (name: string, digest: Uint8Array): readonly [string, Buffer] => [
  `${name}:${Buffer.from(digest).toString('hex')}`,
  Buffer.concat([Buffer.from(`${name}:\0`), digest]),
]

/** SHA-256 of a text: the content of a file in tests. */
export const contentDigest = (content: string): Buffer => hash('sha256', content, 'buffer')

/** A file by path and content, in template ima-ng. */
export const file = (path: string, content: string): Listed => ({
  template: 'ima-ng',
  fields: [digestField('sha256', contentDigest(content)), text(path)],
})

/** The same with a signature, possibly empty, in template ima-sig. */
export const signedFile = (path: string, content: string, signature: Uint8Array): Listed => ({
  template: 'ima-sig',
  fields: [digestField('sha256', contentDigest(content)), text(path), hexField(signature)],
})

/** A buffer by name, in template ima-buf; `said`: the digest that stands before it, if not its own. */
export const buffer = (name: string, bytes: Uint8Array, said: Uint8Array = hash('sha256', bytes, 'buffer')): Listed => ({
  template: 'ima-buf',
  fields: [digestField('sha256', said), text(name), hexField(bytes)],
})

/** An entry of any template. */
export const entry = (template: string, ...fields: readonly (readonly [string, Buffer])[]): Listed => ({ template, fields })

/** A file that was measured while it was written: zeros for its hash. */
export const violation = (path: string): Listed => ({
  template: 'ima-ng',
  fields: [digestField('sha256', Buffer.alloc(32)), text(path)],
  templateHash: Buffer.alloc(20),
})

/** Fields of other kinds, for templates that have them. */
export const fields = { text, hex: hexField, number: (value: string, bytes: Buffer): readonly [string, Buffer] => [value, bytes] }

/** The first entry of a list whose boot left these PCRs 0 to 9 (or 0 to 7). */
export const bootAggregate = (pcrs: readonly Uint8Array[]): Listed => ({
  template: 'ima-ng',
  fields: [digestField('sha256', hash('sha256', Buffer.concat(pcrs), 'buffer')), text('boot_aggregate')],
})

/** Template data: what PCR 10 and the template hash are over. */
export function templateData({ template, fields: all }: Listed): Buffer {
  if (template === 'ima') {
    const [digest, path] = all.map(([, bytes]) => bytes)
    return Buffer.concat([digest ?? Buffer.alloc(0), path ?? Buffer.alloc(0)], 276)
  }
  return Buffer.concat(all.flatMap(([, bytes]) => [u32(bytes.byteLength), bytes]))
}

const shownHash = (listed: Listed): Buffer => listed.templateHash ?? hash('sha1', templateData(listed), 'buffer')

/** The list in ASCII, as the kernel shows it. */
export const ascii = (list: readonly Listed[]): Buffer =>
  Buffer.from(
    list.map((one) => `10 ${shownHash(one).toString('hex')} ${one.template} ${one.fields.map(([shown]) => shown).join(' ')}\n`).join(''),
  )

/** The list in binary. */
export const binary = (list: readonly Listed[]): Buffer =>
  Buffer.concat(
    list.flatMap((one) => {
      const name = Buffer.from(one.template)
      const head = [u32(10), shownHash(one), u32(name.byteLength), name]
      if (one.template !== 'ima') return [...head, u32(templateData(one).byteLength), templateData(one)]
      const [digest, path] = one.fields.map(([, bytes]) => bytes)
      return [...head, digest ?? Buffer.alloc(0), u32(path?.byteLength ?? 0), path ?? Buffer.alloc(0)]
    }),
  )

/** PCR 10 of a bank behind the list; `legacy`: as kernels before 5.8 extended banks other than SHA-1. */
export function pcr10(list: readonly Listed[], bank = 'sha256', kernel: 'modern' | 'legacy' = 'modern'): Buffer {
  const size = hash(bank, '', 'buffer').byteLength
  const own = kernel === 'legacy' ? 'sha1' : bank
  return list.reduce((value, one) => {
    const isViolation = shownHash(one).every((byte) => byte === 0)
    const digest = isViolation ? Buffer.alloc(hash(own, '', 'buffer').byteLength, 0xff) : hash(own, templateData(one), 'buffer')
    return hash(bank, Buffer.concat([value, Buffer.concat([digest], size)]), 'buffer')
  }, Buffer.alloc(size))
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
