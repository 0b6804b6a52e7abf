import { generateKeyPairSync, hash, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import {
  ascii,
  binary,
  bootAggregate,
  buffer,
  contentDigest,
  digestField,
  entry,
  fields,
  file,
  pcr10,
  signedFile,
  violation,
  type Listed,
} from '../../../../test/ima-lists.ts'
import { authority } from '../../../../test/tpm-trust-lab.ts'
import { judgeIma } from './judge.ts'
import type { ImaRules } from './rules.ts'
import { readSigner } from './signer.ts'

const PCRS = Array.from({ length: 10 }, (_, i) => hash('sha256', `PCR ${i}`, 'buffer'))
const NO_RULES: ImaRules = {
  bootAggregate: 'off',
  legacyPadding: 'refuse',
  digests: new Map(),
  isExcluded: () => false,
  keyrings: new Map(),
  ignoredKeyrings: new Set(),
  buffers: new Map(),
  signers: [],
}
const digests = (...contents: readonly string[]) => new Set(contents.map((content) => `sha256:${contentDigest(content).toString('hex')}`))

/** Claims of a list by these rules; `quoted`: PCRs 0 and up beside PCR 10. */
async function evaluate(list: readonly Listed[], rules: Partial<ImaRules> = {}, quoted: readonly Uint8Array[] = PCRS) {
  const pcrs = new Map<number, Uint8Array>([...quoted.map((pcr, i) => [i, pcr] as const), [10, pcr10(list)]])
  return judgeIma({
    imaLog: ascii(list),
    rules: { ...NO_RULES, ...rules },
    bank: 'sha256',
    pcrs,
    quotedBanks: new Map([['sha256', pcrs]]),
    akName: '000b',
    clock: { clock: 1n, resetCount: 1, restartCount: 0 },
    state: undefined,
    now: new Date('2026-11-24T12:00:00Z'),
  })
}

/** Kinds of faults with the entries that have them, and what was accepted. */
async function found(list: readonly Listed[], rules: Partial<ImaRules> = {}, quoted: readonly Uint8Array[] = PCRS) {
  const { claims } = await evaluate(list, rules, quoted)
  const faults = Object.entries(claims?.faults ?? {}).map(([kind, fault]) => [kind, fault.first.map(({ entry: at }) => at)])
  const accepted = Object.entries(claims?.accepted ?? {}).filter(([, count]) => count > 0)
  return { ...Object.fromEntries(faults), ...Object.fromEntries(accepted) }
}

describe('files', () => {
  const a = file('/bin/a', 'a')

  it('are accepted by path and digest together', async () => {
    expect(await found([a], { digests: new Map([['/bin/a', digests('b', 'a')]]) })).toEqual({ digest: 1 })
    expect(await found([a], { digests: new Map([['/bin/a', digests('b')]]) })).toEqual({ 'hash-mismatch': [1] })
    expect(await found([a], { digests: new Map([['/bin/b', digests('a')]]) })).toEqual({ 'not-allowed': [1] })
    expect(await found([a])).toEqual({ 'not-allowed': [1] })
  })

  it('are accepted by a digest of the hash that is listed only', async () => {
    const sameBytes = entry('ima-ng', digestField('sm3_256', contentDigest('a')), fields.text('/bin/a'))
    expect(await found([sameBytes], { digests: new Map([['/bin/a', digests('a')]]) })).toEqual({ 'hash-mismatch': [1] })
  })

  it('are excluded by path, whatever they hold', async () => {
    expect(await found([a], { isExcluded: (path) => path === '/bin/a' })).toEqual({ excluded: 1 })
  })

  it('with a path that is longer than Linux writes satisfy no rule, and are told by its beginning', async () => {
    const path = `/${'p'.repeat(4094)}`
    const rules: Partial<ImaRules> = { isExcluded: () => true, digests: new Map([[`${path}p`, digests('a')]]) }
    expect(await found([file(path, 'a')], rules)).toEqual({ excluded: 1 })
    const longer = await evaluate([file(`${path}p`, 'a')], rules)
    expect(longer.claims?.accepted).toMatchObject({ excluded: 0, digest: 0 })
    expect(longer.claims?.faults).toMatchObject({ 'not-allowed': { count: 1, first: [{ path: path.slice(0, 256) }] } })
  })

  it('with bytes in their path that are no text satisfy no rule', async () => {
    const path = Buffer.from([0x2f, 0xff, 0x0a, 0x00])
    const odd = entry('ima-ng', digestField('sha256', contentDigest('a')), ['', path])
    const pcrs = new Map([[10, pcr10([odd])]])
    const rules = { ...NO_RULES, isExcluded: () => true, digests: new Map([['/\\xff\\x0a', digests('a')]]) }
    const { claims } = await judgeIma({
      imaLog: binary([odd]),
      rules,
      bank: 'sha256',
      pcrs,
      quotedBanks: new Map(),
      akName: null,
      clock: { clock: 1n, resetCount: 1, restartCount: 0 },
      state: undefined,
      now: new Date('2026-11-24T12:00:00Z'),
    })
    expect(claims?.faults['hash-mismatch'] ?? claims?.faults['not-allowed']).toMatchObject({ first: [{ path: '/\\xff\\x0a' }] })
    expect(claims?.accepted.excluded).toBe(0)
  })

  it('by a digest of fs-verity are not those by a digest of the whole', async () => {
    const verity = entry('ima-ngv2', digestField('verity:sha256', contentDigest('a')), fields.text('/bin/a'))
    const whole = entry('ima-ngv2', digestField('ima:sha256', contentDigest('a')), fields.text('/bin/a'))
    const rules = { digests: new Map([['/bin/a', digests('a')]]) }
    expect(await found([verity, whole], rules)).toEqual({ 'hash-mismatch': [1], digest: 1 })
    const listed = new Set([`verity:sha256:${contentDigest('a').toString('hex')}`])
    expect(await found([verity], { digests: new Map([['/bin/a', listed]]) })).toEqual({ digest: 1 })
  })

  it('of the oldest template are known by SHA-1', async () => {
    const digest = hash('sha1', 'a', 'buffer')
    const old = entry('ima', fields.hex(digest), ['/bin/a b', Buffer.from('/bin/a b')])
    expect(await found([old], { digests: new Map([['/bin/a b', new Set([`sha1:${digest.toString('hex')}`])]]) })).toEqual({ digest: 1 })
  })

  it('whose digest is of no known hash make the list unreadable', async () => {
    for (const field of [digestField('crc32', Buffer.alloc(4)), digestField('sha256', Buffer.alloc(31))]) {
      const { checks } = await evaluate([entry('ima-ng', field, fields.text('/a'))], { isExcluded: () => true })
      expect(checks[0]).toMatchObject({ id: 'TPM-61', code: 'tpm-ima-malformed' })
    }
  })

  it('are told by their first eight, cut to what an answer has room for, and counted', async () => {
    const list = Array.from({ length: 20 }, (_, i) => file(`/${i}${'x'.repeat(400)}`, 'x'))
    const { claims } = await evaluate(list)
    const fault = claims?.faults['not-allowed']
    expect(fault?.count).toBe(20)
    expect(fault?.first.map((one) => one.entry)).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(fault?.first[0]?.path).toHaveLength(256)
    expect(fault?.first[0]?.digest).toBe(`sha256:${contentDigest('x').toString('hex')}`)
  })
})

describe('violations', () => {
  it('satisfy no rule, and are counted', async () => {
    const { claims } = await evaluate([violation('/bin/a'), violation('boot_aggregate')], { isExcluded: () => true })
    expect(claims).toMatchObject({ violations: 2, accepted: { excluded: 0 }, faults: { violation: { count: 2 } } })
  })
})

describe('boot_aggregate', () => {
  const verify = { bootAggregate: 'verify' } as const
  const ifQuoted = { bootAggregate: 'if-quoted' } as const
  const [seven, nine] = [bootAggregate(PCRS.slice(0, 8)), bootAggregate(PCRS)]
  const other = bootAggregate([...PCRS].toReversed())

  it('is that of PCRs 0 to 7 or 0 to 9, and says which', async () => {
    expect((await evaluate([seven], verify)).claims).toMatchObject({ boot_aggregate: '0-7', faults: {} })
    expect((await evaluate([nine], verify)).claims).toMatchObject({ boot_aggregate: '0-9', faults: {} })
    expect((await evaluate([seven], verify, PCRS.slice(0, 8))).claims).toMatchObject({ boot_aggregate: '0-7' })
  })

  it('is refused where it is another, not first, or cannot be compared', async () => {
    expect(await found([other], verify)).toEqual({ 'boot-aggregate': [1] })
    expect(await found([file('/bin/a', 'a'), nine], { ...verify, isExcluded: () => true })).toEqual({ 'boot-aggregate': [1] })
    expect(await found([nine], verify, PCRS.slice(0, 8))).toEqual({ 'boot-aggregate': [1] })
    expect(await found([seven], verify, PCRS.slice(0, 7))).toEqual({ 'boot-aggregate': [1] })
    const sha1 = entry('ima-ng', digestField('sha1', Buffer.alloc(20)), fields.text('boot_aggregate'))
    expect(await found([sha1], verify)).toEqual({ 'boot-aggregate': [1] })
  })

  it('is a file like others where it need not be quoted and is not', async () => {
    expect(await found([nine], ifQuoted, [])).toEqual({ 'not-allowed': [1] })
    expect(await found([nine], { ...ifQuoted, isExcluded: () => true }, [])).toEqual({ excluded: 1 })
    expect(await found([other], { ...ifQuoted, isExcluded: () => true })).toEqual({ 'boot-aggregate': [1] })
    expect((await evaluate([nine], ifQuoted)).claims?.boot_aggregate).toBe('0-9')
  })

  it('exempts the first entry only where nothing is asked of it', async () => {
    expect(await found([other, other])).toEqual({ 'not-allowed': [2] })
    expect(await found([file('/bin/a', 'a')])).toEqual({ 'not-allowed': [1] })
    expect((await evaluate([other])).claims?.boot_aggregate_verified).toBe(false)
  })

  it('is compared again where a kernel was started by another', async () => {
    expect(await found([nine, seven], verify)).toEqual({})
    expect(await found([nine, other], verify)).toEqual({ 'boot-aggregate': [2] })
  })
})

/** security.ima of a digest (section 12.6). */
function signatureOf(
  key: KeyObject,
  content: string,
  change: { type?: number; version?: number; id?: string; length?: number } = {},
): Buffer {
  const { type = 3, version = 2, id = signerOf(key).keyIds[0] } = change
  const signed = version === 2 ? Buffer.from(content) : Buffer.concat([Buffer.from([type, 4]), contentDigest(content)])
  const made = sign('sha256', signed, { key, dsaEncoding: 'der' })
  const head = Buffer.from([type, version, 4, 0, 0, 0, 0, 0, 0])
  head.write(id ?? '', 3, 'hex')
  head.writeUInt16BE(change.length ?? made.byteLength, 7)
  return Buffer.concat([head, made])
}

const publicDer = (key: KeyObject): Buffer => Buffer.from(createPublicOf(key).export({ format: 'der', type: 'spki' }))
const createPublicOf = (key: KeyObject): KeyObject => publicOf.get(key) ?? key
const publicOf = new Map<KeyObject, KeyObject>()
const pair = (type: 'ec' | 'rsa', options: { namedCurve?: string; modulusLength?: number }): KeyObject => {
  const { publicKey, privateKey } =
    type === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: options.namedCurve ?? '' })
      : generateKeyPairSync('rsa', { modulusLength: options.modulusLength ?? 2048 })
  publicOf.set(privateKey, publicKey)
  return privateKey
}
const signerOf = (key: KeyObject) => {
  const signer = readSigner(publicDer(key))
  if (signer === undefined) throw new Error('a key that can sign files')
  return signer
}
const KEYS = {
  rsa: pair('rsa', { modulusLength: 2048 }),
  p256: pair('ec', { namedCurve: 'P-256' }),
  p384: pair('ec', { namedCurve: 'P-384' }),
  p521: pair('ec', { namedCurve: 'P-521' }),
  secp256k1: pair('ec', { namedCurve: 'secp256k1' }),
}

describe('signatures', () => {
  it.each(Object.entries(KEYS))('of %s accept a file, and no other', async (_, key) => {
    const signers = [signerOf(key)]
    const good = Array.from({ length: 4 }, (_unused, i) => signedFile(`/bin/${i}`, `${i}`, signatureOf(key, `${i}`)))
    expect(await found(good, { signers })).toEqual({ signature: 4 })
    expect(await found([signedFile('/bin/b', 'b', signatureOf(key, 'a'))], { signers })).toEqual({ 'signature-invalid': [1] })
    expect(await found(good.slice(0, 1))).toEqual({ 'not-allowed': [1] })
  })

  it('of version 3 are over type, hash and digest', async () => {
    const signers = [signerOf(KEYS.p256)]
    const v3 = signatureOf(KEYS.p256, 'a', { version: 3 })
    expect(await found([signedFile('/bin/a', 'a', v3)], { signers })).toEqual({ signature: 1 })
    const verity = (type: number) =>
      entry(
        'ima-sigv2',
        digestField('verity:sha256', contentDigest('a')),
        fields.text('/bin/a'),
        fields.hex(signatureOf(KEYS.p256, 'a', { type, version: 3 })),
      )
    expect(await found([verity(6)], { signers })).toEqual({ signature: 1 })
    expect(await found([verity(3)], { signers })).toEqual({ 'not-allowed': [1] })
  })

  it.each<[string, Buffer]>([
    ['of a length that is not that of the rest', signatureOf(KEYS.p256, 'a', { length: 18_432 })],
    ['of another type', signatureOf(KEYS.p256, 'a', { type: 4 })],
    ['of another version', signatureOf(KEYS.p256, 'a', { version: 1 })],
    ['over a Merkle tree in version 2', signatureOf(KEYS.p256, 'a', { type: 6 })],
    ['without a signature', Buffer.from('030204000000000000', 'hex')],
    ['of one byte', Buffer.from([3])],
  ])('%s are malformed, and help nobody', async (_, signature) => {
    const signers = [signerOf(KEYS.p256)]
    const list = [signedFile('/bin/a', 'a', signature)]
    expect(await found(list, { signers })).toEqual({ 'signature-malformed': [1] })
    expect(await found(list, { signers, digests: new Map([['/bin/a', digests('a')]]) })).toEqual({ digest: 1 })
    expect(await found(list, { signers, digests: new Map([['/bin/a', digests('b')]]) })).toEqual({ 'hash-mismatch': [1] })
  })

  it.each<[string, Buffer]>([
    ['of metadata', signatureOf(KEYS.p256, 'a', { type: 5 })],
    ['over SHA-1', Buffer.concat([Buffer.from('0302020000000000', 'hex'), Buffer.from([1, 7])])],
    ['by a key that nobody named', signatureOf(KEYS.p256, 'a', { id: '00000000' })],
  ])('%s say nothing of a file', async (_, signature) => {
    expect(await found([signedFile('/bin/a', 'a', signature)], { signers: [signerOf(KEYS.p256)] })).toEqual({ 'not-allowed': [1] })
  })

  it.each<[string, Buffer]>([
    ['is empty', Buffer.alloc(2)],
    ['is cut short', signatureOf(KEYS.rsa, 'a').subarray(9, -1)],
    ['is no DER', Buffer.alloc(70, 1)],
    ['has r = 0', Buffer.from('3006020100020101', 'hex')],
    ['has s = 0', Buffer.from('3006020101020100', 'hex')],
    ['is longer than it says', Buffer.from('300602ff01020101', 'hex')],
  ])('whose value %s do not verify', async (_, value) => {
    for (const key of [KEYS.rsa, KEYS.p256]) {
      const signature = Buffer.concat([signatureOf(key, 'a').subarray(0, 9), value])
      signature.writeUInt16BE(value.byteLength, 7)
      expect(await found([signedFile('/bin/a', 'a', signature)], { signers: [signerOf(key)] })).toEqual({ 'signature-invalid': [1] })
    }
  })

  it('of several keys with one identifier are tried with each', async () => {
    const [first, second] = [signerOf(KEYS.p384), signerOf(KEYS.p256)]
    const signers = [{ ...first, keyIds: second.keyIds }, second]
    expect(await found([signedFile('/bin/a', 'a', signatureOf(KEYS.p256, 'a'))], { signers })).toEqual({ signature: 1 })
  })
})

const told = (bytes: Uint8Array) => new Set([`sha256:${hash('sha256', bytes)}`])

describe('buffers', () => {
  const key = publicDer(KEYS.p256)
  const signed = signedFile('/bin/a', 'a', signatureOf(KEYS.p256, 'a'))

  it('that are listed keys of the keyring for files verify what follows them', async () => {
    const keyrings = new Map([
      ['.ima', told(key)],
      ['.evm', told(key)],
    ])
    expect(await found([signed, buffer('.ima', key), signed], { keyrings })).toEqual({ 'not-allowed': [1], keyring: 1, signature: 1 })
    expect(await found([buffer('.evm', key), signed], { keyrings })).toEqual({ keyring: 1, 'not-allowed': [2] })
  })

  it('that are keys nobody lists are refused', async () => {
    const list = [buffer('.ima', key), signed]
    expect(await found(list)).toEqual({ keyring: [1], 'not-allowed': [2] })
    expect(await found(list, { keyrings: new Map([['.ima', told(Buffer.from('other'))]]) })).toEqual({ keyring: [1], 'not-allowed': [2] })
  })

  it('that are keys of ignored keyrings are accepted and verify nothing', async () => {
    for (const ignored of ['.ima', '*']) {
      expect(await found([buffer('.ima', key), signed], { ignoredKeyrings: new Set([ignored]) })).toEqual({
        keyring: 1,
        'not-allowed': [2],
      })
    }
    expect(await found([buffer('kexec-cmdline', Buffer.from('x'))], { ignoredKeyrings: new Set(['*']) })).toEqual({ 'not-allowed': [1] })
  })

  it('are no files that the list calls buffers: PCR 10 does not tell the name of a template', async () => {
    const pem = `-----BEGIN CERTIFICATE-----\n${Buffer.from(authority('any').der).toString('base64')}\n-----END CERTIFICATE-----\n`
    // What begins as a signature is kept by the kernel, and OpenSSL finds a key in PEM behind anything.
    for (const behind of [key, Buffer.from(`0\n${pem}`), Buffer.from(`\x03\x02\n${pem}`)]) {
      const { fields: parts } = signedFile('/bin/a', 'a', behind)
      expect(await found([entry('ima-buf', ...parts)], { ignoredKeyrings: new Set(['*']) })).toEqual(
        behind === key ? { keyring: [1] } : { 'not-allowed': [1] },
      )
      expect(readSigner(behind) === undefined).toBe(behind !== key)
    }
  })

  it('are no files when the list calls them so: what stands for a signature is none', async () => {
    const { fields: parts } = buffer('.ima', key)
    const rules = { isExcluded: () => true }
    expect(await found([entry('ima-sig', ...parts)], rules)).toEqual({ 'signature-malformed': [1] })
    for (const kind of [3, 5, 6]) expect(await found([signedFile('/bin/a', 'a', Buffer.of(kind, 2))], rules)).toEqual({ excluded: 1 })
    expect(await found([signedFile('/bin/a', 'a', Buffer.alloc(0))], rules)).toEqual({ excluded: 1 })
  })

  it('that are not what their digest says are in no list', async () => {
    const swapped = buffer('.ima', publicDer(KEYS.p384), hash('sha256', key, 'buffer'))
    expect(await found([swapped], { keyrings: new Map([['.ima', told(key)]]) })).toEqual({ keyring: [1] })
    const unknown = entry('ima-buf', digestField('whirlpool', Buffer.alloc(64)), fields.text('x'), fields.hex(Buffer.from('x')))
    expect(await found([unknown])).toEqual({ 'not-allowed': [1] })
  })

  it('of other kinds are accepted by name and digest, and by no pattern for paths', async () => {
    const command = Buffer.from('root=/dev/sda1')
    const list = [buffer('kexec-cmdline', command)]
    expect(await found(list, { buffers: new Map([['kexec-cmdline', told(command)]]) })).toEqual({ buffer: 1 })
    expect(await found(list, { buffers: new Map([['kexec-cmdline', told(key)]]) })).toEqual({ 'hash-mismatch': [1] })
    expect(await found(list, { isExcluded: () => true })).toEqual({ 'not-allowed': [1] })
  })

  it('leave no more keys than a state has room for', async () => {
    const keys = Array.from({ length: 40 }, () => publicDer(pair('ec', { namedCurve: 'P-256' })))
    const keyrings = new Map([['.ima', new Set(keys.flatMap((one) => [...told(one)]))]])
    const { state, claims } = await evaluate(
      keys.map((one) => buffer('.ima', one)),
      { keyrings },
    )
    expect([claims?.accepted.keyring, state?.outcomes.keys.length]).toEqual([40, 32])
  })
})

describe('signers', () => {
  it('are keys that are strong enough, of a kind that files are signed with', () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey
    const other = generateKeyPairSync('ed25519').publicKey
    const brainpool = generateKeyPairSync('ec', { namedCurve: 'brainpoolP256r1' }).publicKey
    for (const key of [weak, other]) expect(readSigner(Buffer.from(key.export({ format: 'der', type: 'spki' })))).toBeUndefined()
    expect(readSigner(Buffer.from(brainpool.export({ format: 'der', type: 'spki' })))).toBeUndefined()
    expect(readSigner(Buffer.from('no key'))).toBeUndefined()
  })
})
