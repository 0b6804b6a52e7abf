import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { endorsementChecks, NOT_REACHED, told, toldFailures, type EndorsementTrial } from '../../../test/snp-endorsed.ts'
import { fakeAmd, type FakeAmd } from '../../simulator/amd.ts'
import { amdName } from '../../simulator/names.ts'
import type { FakeVek } from '../../simulator/veks.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import type { AmdAnchor, Anchors, Check } from '../verifier.ts'

const now = new Date('2026-11-23T12:00:00Z')
const NOW = '2026-11-23T12:00:00.000Z'
let amd: FakeAmd
let milan: FakeVek
let vlek: FakeVek
beforeAll(async () => {
  amd = await fakeAmd({ now, products: ['Milan', 'Turin'] })
  milan = amd.vcek({ product: 'Milan' })
  vlek = amd.vlek({ product: 'Milan' })
})

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
type Trial = EndorsementTrial & { readonly signer?: FakeVek }
const checksOf = ({ signer = milan, ...trial }: Trial): Promise<readonly Check[]> => endorsementChecks(amd, signer, trial)

const AMD = 'OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices'
const names = (subject: string, issuer: string): string => `subject ${AMD}, CN=${subject}; issuer ${AMD}, CN=${issuer}`
/** The windows of a chain from the root down, as OpenSSL reads them. */
const windows = (...ders: readonly Uint8Array[]): string =>
  ders
    .map((der) => new X509Certificate(der))
    .map(
      ({ subject, validFromDate, validToDate }) =>
        `${/CN=(.*)/.exec(subject)?.[1]} from ${validFromDate.toISOString()} to ${validToDate.toISOString()}`,
    )
    .join('; ')

describe('a genuine endorsement says what was looked at', () => {
  it('of a VCEK of Milan', async () => {
    const chain = [amd.root('Milan'), amd.intermediate('Milan', 'ask'), milan.der]
    expect(told(await checksOf({}))).toEqual([
      'SNP-22 pass a certificate is at hand',
      'SNP-23 pass P-384, RSASSA-PSS sha384, salt 48',
      'SNP-24 pass report vcek, certificate vcek',
      `SNP-25 pass ${names('SEV-VCEK', 'SEV-Milan')}`,
      'SNP-30 pass ARK-Milan, test',
      'SNP-31 pass SEV-Milan, a pinned ASK',
      'SNP-32 pass signed by the pinned key of SEV-Milan',
      `SNP-33 pass ${windows(...chain)}; now ${NOW}`,
      'SNP-34 pass report Milan, chain Milan, productName Milan-B0',
      'SNP-35 pass 0 on Milan',
      'SNP-36 warn no list is at hand, and none was ever seen',
      'SNP-36 warn no list is at hand, and none was ever seen',
      'SNP-40 pass complete for Milan',
      'SNP-41 pass bootloader 4, tee 0, snp 24, microcode 219',
      'SNP-42 pass zero',
      `SNP-43 pass hwID ${hex(milan.hwid)}, cspID absent`,
      `SNP-46 pass hwID ${hex(milan.hwid)}`,
      'SNP-47 pass not masked',
    ])
  })

  it('of a VLEK, which names no chip', async () => {
    const lines = told(await checksOf({ signer: vlek }))
    expect(lines).toContain('SNP-24 pass report vlek, certificate vlek')
    expect(lines).toContain(`SNP-25 pass ${names('SEV-VLEK', 'SEV-VLEK-Milan')}`)
    expect(lines).toContain('SNP-31 pass SEV-VLEK-Milan, a pinned ASVK')
    expect(lines.slice(-3)).toEqual([
      `SNP-44 pass hwID absent, cspID ${vlek.cspId}`,
      'SNP-46 skip a VLEK names no chip',
      'SNP-47 skip a VLEK names no chip',
    ])
  })

  it('of a report of version 2, which names no product', async () => {
    expect(told(await checksOf({ fields: { version: 2 } }))).toContain(
      'SNP-34 pass report version 2 without a product, chain Milan, productName Milan-B0',
    )
  })

  it('lists each check once more that was not reached', async () => {
    const checks = await checksOf({ certificates: [Uint8Array.of(0x30, 0)] })
    const rest = checks.filter(({ actual }) => actual === NOT_REACHED)
    const numbers = [24, 25, 30, 31, 32, 33, 34, 35, 40, 41, 42, 43, 44, 46, 47]
    expect(rest.map(({ id, outcome }) => [id, outcome])).toEqual(numbers.map((number) => [`SNP-${number}`, 'skip']))
    expect(told(checks)).toEqual(['SNP-22 pass a certificate is at hand', expect.stringMatching(/^SNP-23 fail certificate\.Certificate/)])
  })
})

const shipped = (overrides: NonNullable<Parameters<FakeAmd['vcek']>[0]['overrides']>): Trial => ({
  certificates: [amd.vcek({ product: 'Milan', hwid: milan.hwid, overrides }).der],
})
/** The VCEK with bytes replaced by others from the same place on. */
function patched(from: string, to: string): Trial {
  const der = Buffer.from(milan.der)
  Buffer.from(to, 'hex').copy(der, der.indexOf(Buffer.from(from, 'hex')))
  return { certificates: [new Uint8Array(der)] }
}
/** A point that has the form of one and is none. */
const offTheCurve = (): Trial => {
  const x = hex(milan.der).split('2b8104002203620004')[1]?.slice(0, 2) ?? ''
  return patched(`2b8104002203620004${x}`, `2b8104002203620004${(Number.parseInt(x, 16) ^ 1).toString(16).padStart(2, '0')}`)
}
/** One of AMD’s names, from another state. */
const texanName = (commonName: string) => amdName(commonName).map((part) => (part.value === 'CA' ? { ...part, value: 'TX' } : part))
const only = (keep: (anchor: AmdAnchor) => boolean): Anchors => anchorsOf(amd.anchors().filter(keep))

describe('an endorsement certificate that is refused says what was found', () => {
  it.each<[string, () => Trial]>([
    ['SNP-23 fail X.509 v2', () => patched('a003020102', 'a003020101')],
    [
      'SNP-23 fail the key is not an uncompressed point of the named curve P-384',
      () => shipped({ keys: generateKeyPairSync('ec', { namedCurve: 'P-256' }) }),
    ],
    [
      'SNP-23 fail the key is not an uncompressed point of the named curve P-384',
      () => patched('2b8104002203620004', '2b8104002203620002'),
    ],
    ['SNP-23 fail OpenSSL does not find the same key on the curve', offTheCurve],
    ['SNP-23 fail 1.2.840.113549.1.1.12 inside, RSASSA-PSS sha384, salt 48 outside', () => shipped({ innerScheme: 'pkcs1-sha384' })],
    [`SNP-25 fail ${names('VCEK', 'SEV-Milan')}`, () => shipped({ commonName: 'VCEK' })],
    ['SNP-24 fail SEV-Milan is an authority', () => shipped({ commonName: 'SEV-Milan' })],
    ['SNP-24 fail ARK-Turin is an authority', () => shipped({ commonName: 'ARK-Turin' })],
    ['SNP-31 fail no pinned ASK is called SEV-Rome', () => shipped({ issuer: amdName('SEV-Rome') })],
    ['SNP-31 fail no pinned ASK is called SEV-VLEK-Milan', () => shipped({ issuer: amdName('SEV-VLEK-Milan') })],
    ['SNP-31 fail no pinned ASVK is called SEV-VLEK-Milan', () => ({ signer: vlek, anchors: anchorsOf([]) })],
    [
      'SNP-32 fail not signed by the pinned key of SEV-Milan',
      () => shipped({ signedBy: { commonName: 'SEV-Milan', privateKey: amd.authority('Turin', 'ask').privateKey } }),
    ],
    ['SNP-30 fail no root of Milan is pinned', () => ({ anchors: only(({ role, product }) => role !== 'ark' || product !== 'Milan') })],
    ['SNP-30 fail a certificate of the simulator', () => ({ context: { mode: 'production' } })],
    ['SNP-30 fail a test root, in production', () => ({ ...shipped({ marker: 'omit' }), context: { mode: 'production' } })],
    [
      'SNP-30 fail a certificate of the simulator under a pinned root',
      () => ({ anchors: anchorsOf(amd.anchors().map((anchor) => ({ ...anchor, origin: 'pinned' }))) }),
    ],
  ])('%s', async (line, make) => expect(toldFailures(await checksOf(make()))).toEqual([line]))

  it('says so of names that are not AMD’s, of the subject and of the issuer', async () => {
    const [subject, issuer] = await Promise.all([
      checksOf(shipped({ subject: texanName('SEV-VCEK') })),
      checksOf(shipped({ issuer: texanName('SEV-Milan') })),
    ])
    const before = ['SNP-22 pass a certificate is at hand', 'SNP-23 pass P-384, RSASSA-PSS sha384, salt 48']
    const texan = AMD.replace('ST=CA', 'ST=TX')
    expect(told(subject)).toEqual([...before, `SNP-25 fail subject ${texan}, CN=SEV-VCEK; issuer ${AMD}, CN=SEV-Milan`])
    expect(told(issuer)).toEqual([...before, `SNP-25 fail subject ${AMD}, CN=SEV-VCEK; issuer ${texan}, CN=SEV-Milan`])
  })

  it('says so of an authority whose key cannot be read', async () => {
    const spoilt = amd.anchors().map((anchor) => ({ ...anchor, spki: Uint8Array.of(0x30, 0) }))
    expect(toldFailures(await checksOf({ anchors: anchorsOf(spoilt) }))).toEqual(['SNP-32 fail not signed by the pinned key of SEV-Milan'])
  })

  it('still says of a root that is not to be trusted that it signed', async () => {
    expect(told(await checksOf({ anchors: only(({ role }) => role !== 'ark') }))).toEqual([
      'SNP-22 pass a certificate is at hand',
      'SNP-23 pass P-384, RSASSA-PSS sha384, salt 48',
      `SNP-25 pass ${names('SEV-VCEK', 'SEV-Milan')}`,
      'SNP-30 fail no root of Milan is pinned',
      'SNP-31 pass SEV-Milan, a pinned ASK',
      'SNP-32 pass signed by the pinned key of SEV-Milan',
    ])
  })

  it('says that the issuer was right where its signature is not', async () => {
    expect(told(await checksOf({ anchors: pinnedAnchors })).slice(-2)).toEqual([
      'SNP-31 pass SEV-Milan, a pinned ASK',
      'SNP-32 fail not signed by the pinned key of SEV-Milan',
    ])
  })
})
