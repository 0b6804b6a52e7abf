import { createHash, createPublicKey, verify, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { fakeSgxHost, fakeTdxHost, type FakeIntelHost } from './intel-hosts.ts'
import { fakeIntel } from './intel.ts'
import { SIM_MRTD, teeTcbSvn, type TdBody } from './td-report.ts'

const intel = fakeIntel()
const DATA = Uint8Array.from({ length: 64 }, (_, index) => index)

const p256 = (point: Uint8Array) => {
  const [x = '', y = ''] = [point.subarray(0, 32), point.subarray(32)].map((half) => Buffer.from(half).toString('base64url'))
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}
const signedBy = (key: ReturnType<typeof p256>, bytes: Uint8Array, signature: Uint8Array) =>
  verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature)

const ones = (bytes: number) => new Uint8Array(bytes).fill(0x11)

/** Reads a quote by the offsets of specification tdx.md section 1, without any code of ours. */
function taken(quote: Uint8Array, signedBytes: number) {
  const bytes = Buffer.from(quote)
  const signed = bytes.subarray(0, signedBytes)
  const authLength = bytes.readUInt32LE(signedBytes)
  const auth = bytes.subarray(signedBytes + 4, signedBytes + 4 + authLength)
  const nested = bytes.readUInt16LE(0) === 3 ? auth.subarray(128) : auth.subarray(134)
  const qeAuthLength = nested.readUInt16LE(448)
  const certification = nested.subarray(450 + qeAuthLength)
  return {
    bytes,
    signed,
    auth,
    nested,
    signature: auth.subarray(0, 64),
    point: auth.subarray(64, 128),
    qeReport: nested.subarray(0, 384),
    qeSignature: nested.subarray(384, 448),
    qeAuth: nested.subarray(450, 450 + qeAuthLength),
    certification: { type: certification.readUInt16LE(0), size: certification.readUInt32LE(2), data: certification.subarray(6) },
    rest: bytes.subarray(signedBytes + 4 + authLength),
  }
}

const TDX: readonly (readonly [version: 4 | 5, body: TdBody, signed: number])[] = [
  [4, 'td-report-1.0', 632],
  [5, 'td-report-1.0', 638],
  [5, 'td-report-1.5', 702],
  [5, 'td-report-1.5-ex', 939],
]
const HOSTS: readonly (readonly [name: string, host: FakeIntelHost, signed: number])[] = [
  ...TDX.map(([version, body, signed]) => [`${body} in version ${version}`, fakeTdxHost(intel, { version, body }), signed] as const),
  ...([3, 4, 5] as const).map(
    (version) => [`SGX in version ${version}`, fakeSgxHost(intel, { version }), version === 5 ? 438 : 432] as const,
  ),
]

describe.each(HOSTS)('a quote of %s', (_, host, signedBytes) => {
  const quote = taken(host.quote(DATA), signedBytes)

  it('is signed by a key that the quoting enclave vouches for, which the PCK signed', () => {
    const pck = new X509Certificate(host.pck.der)
    expect(signedBy(p256(quote.point), quote.signed, quote.signature)).toBe(true)
    expect(signedBy(pck.publicKey, quote.qeReport, quote.qeSignature)).toBe(true)
    const binding = createHash('sha256').update(quote.point).update(quote.qeAuth).digest()
    expect(quote.qeReport.subarray(320)).toEqual(Buffer.concat([binding, Buffer.alloc(32)]))
  })

  it('ends with the PCK chain and nothing else', () => {
    expect([quote.certification.type, quote.certification.size]).toEqual([5, quote.certification.data.length])
    expect([quote.certification.data.at(-1), quote.rest.length]).toEqual([0, 0])
    const blocks = quote.certification.data.toString().split(/(?<=-----END CERTIFICATE-----\n)/)
    expect(blocks.slice(0, 3).map((block) => new Uint8Array(new X509Certificate(block).raw))).toEqual(host.pck.chain)
    const outer =
      quote.bytes.readUInt16LE(0) === 3 ? [6, quote.nested.length] : [quote.auth.readUInt16LE(128), quote.auth.readUInt32LE(130)]
    expect(outer).toEqual([6, quote.nested.length])
  })

  it('says what it is and carries the report data', () => {
    const tdx = host.tee === 'tdx'
    expect([quote.bytes.readUInt16LE(2), quote.bytes.readUInt32LE(4)]).toEqual([2, tdx ? 0x81 : 0])
    expect(quote.bytes.toString('hex', 12, 28)).toBe('939a7233f79c4ca9940a0db3957f0607')
    const body = quote.bytes.readUInt16LE(0) === 5 ? 54 : 48
    expect(quote.signed.subarray(body + (tdx ? 520 : 320)).subarray(0, 64)).toEqual(Buffer.from(DATA))
    expect(body === 54 ? quote.bytes.readUInt32LE(50) : signedBytes - 48).toBe(signedBytes - body)
  })
})

describe('fields of a quote', () => {
  const host = fakeTdxHost(intel, { body: 'td-report-1.5-ex', fields: { td: { vmid: 2, teeTcbSvn2: teeTcbSvn(6) } } })

  it('stand where the specification puts them', () => {
    const quote = Buffer.from(
      host.quote(DATA, { userData: ones(20), td: { mrSeam: ones(48), xfam: 0x1234n, mrServiceTd: ones(48), curServtdAttr: ones(8) } }),
    )
    const found = (needle: Uint8Array, from: number) => quote.indexOf(needle, from) - 54
    expect(quote.subarray(28, 48)).toEqual(Buffer.from(ones(20)))
    expect([found(ones(48), 54), found(SIM_MRTD, 54), found(ones(48), 54 + 64)]).toEqual([16, 136, 600])
    expect(quote.readBigUInt64LE(54 + 128)).toBe(0x1234n)
    expect([quote[54], quote[54 + 1], quote[54 + 584], quote[54 + 648]]).toEqual([5, 1, 6, 2])
    expect(quote.subarray(54 + 877, 54 + 885)).toEqual(Buffer.from(ones(8)))
    expect(quote.readUInt16LE(48)).toBe(4)
  })

  it('may be wrong before and after the signature', () => {
    const before = taken(host.quote(DATA, { patch: [[100, Uint8Array.of(0xee)]], vendorId: new Uint8Array(16), version: 6 }), 939)
    expect([before.signed[100], before.signed.readUInt16LE(0)]).toEqual([0xee, 6])
    expect(signedBy(p256(before.point), before.signed, before.signature)).toBe(true)
    const after = taken(host.quote(DATA, { tamper: [[100, Uint8Array.of(0xee)]] }), 939)
    expect(signedBy(p256(after.point), after.signed, after.signature)).toBe(false)
  })

  it('may have any length, type, signature and remainder', () => {
    const odd = Buffer.from(
      host.quote(DATA, {
        bodyType: 9,
        bodySize: 10,
        authDataLength: 11,
        outerType: 12,
        outerSize: 13,
        qeAuthLength: 14,
        innerType: 15,
        innerSize: 16,
        quoteSignature: new Uint8Array(64),
        attestationKey: new Uint8Array(64),
        qeReportSignature: new Uint8Array(64),
        spare: new Uint8Array(3),
        trailing: new Uint8Array(5).fill(7),
      }),
    )
    const auth = 939 + 4
    expect([odd.readUInt16LE(48), odd.readUInt32LE(50), odd.readUInt32LE(939)]).toEqual([9, 10, 11])
    expect([odd.readUInt16LE(auth + 128), odd.readUInt32LE(auth + 130), odd.readUInt16LE(auth + 134 + 448)]).toEqual([12, 13, 14])
    expect([odd.readUInt16LE(auth + 134 + 482), odd.readUInt32LE(auth + 134 + 484)]).toEqual([15, 16])
    expect(odd.subarray(auth, auth + 128)).toEqual(Buffer.alloc(128))
    expect(odd.subarray(-9)).toEqual(Buffer.from([0, 0, 0, 0, 7, 7, 7, 7, 7]))
  })

  it('may come from another quoting enclave, and share theirs otherwise', () => {
    const [one, two, other] = [
      host.quote(DATA),
      host.quote(new Uint8Array(64)),
      host.quote(DATA, { qe: { authData: new Uint8Array(), report: { isvSvn: 2 } } }),
    ]
    const qePart = (quote: Uint8Array) => taken(quote, 939).nested.subarray(0, 484)
    expect(qePart(one)).toEqual(qePart(two))
    expect(taken(other, 939).qeReport.readUInt16LE(258)).toBe(2)
    expect(taken(other, 939).qeAuth.length).toBe(0)
    expect(taken(other, 939).point).not.toEqual(taken(one, 939).point)
  })
})

describe('certification data', () => {
  const host = fakeTdxHost(intel, { pck: { ppid: new Uint8Array(16).fill(9), pceid: Uint8Array.of(1, 2) } })

  it.each([
    [1, 36],
    [2, 276],
    [3, 404],
  ] as const)('of type %i names the PCK in %i bytes', (kind, size) => {
    const { certification } = taken(host.quote(DATA, { certification: kind }), 632)
    expect([certification.type, certification.data.length]).toEqual([kind, size])
    expect(certification.data.subarray(-20)).toEqual(Buffer.from([...host.pck.fields.cpusvn, 11, 0, 2, 1]))
  })

  it('may be the certificate, a chain without its NUL, or anything', () => {
    expect(new Uint8Array(taken(host.quote(DATA, { certification: 4 }), 632).certification.data)).toEqual(host.pck.der)
    expect(
      taken(host.quote(DATA, { certification: '5-open' }), 632)
        .certification.data.toString()
        .endsWith('-----\n'),
    ).toBe(true)
    expect(taken(host.quote(DATA, { certification: { type: 7, data: Uint8Array.of(1) } }), 632).certification).toMatchObject({
      type: 7,
      size: 1,
    })
  })
})

describe('evidence of a fake Intel host', () => {
  it('travels as tdx with what goes beside it, as sgx, and as configfs-tsm', () => {
    const beside = { eventLog: Uint8Array.of(1), runtimeLog: Uint8Array.of(2), initdata: Uint8Array.of(3) }
    const tdx = fakeTdxHost(intel, { ...beside, ships: 'certificates', certification: 3 }).evidence(DATA)
    expect(tdx).toMatchObject({ type: 'tdx', event_log: 'AQ==', runtime_log: 'Ag==', initdata: 'Aw==' })
    expect(tdx.type === 'tdx' ? tdx.certificates : []).toHaveLength(3)
    expect(Object.keys(fakeTdxHost(intel).evidence(DATA))).toEqual(['type', 'quote'])
    expect(Object.keys(fakeSgxHost(intel).evidence(DATA))).toEqual(['type', 'quote'])
    const tsm = fakeTdxHost(intel, { envelope: 'tsm' }).evidence(DATA, { td: { tdAttributes: 1n } })
    expect(tsm).toMatchObject({ type: 'tsm', provider: 'tdx_guest' })
    expect(tsm.type === 'tsm' ? Buffer.from(tsm.outblob, 'base64')[48 + 120] : undefined).toBe(1)
  })
})
