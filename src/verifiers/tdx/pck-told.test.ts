import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { pemChain } from '../../simulator/certification.ts'
import { basicConstraints, extension, keyUsage, type SimExtension } from '../../simulator/der.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import type { CertificateOverrides } from '../../simulator/overrides.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import { AttestationError } from '../problems.ts'
import type { Anchors, Check, Mode } from '../verifier.ts'
import { provePck, type ChainSource } from './pck-chain.ts'

const intel = fakeIntel({ now: new Date('2026-11-24T12:00:00Z') })
const [leaf, ca, root] = intel.pck().chain

type Trial = { readonly anchors?: Anchors; readonly mode?: Mode }
const prove = (source: ChainSource, { anchors = anchorsOf([], intel.anchors()), mode = 'test' }: Trial = {}): readonly Check[] =>
  provePck(source, { anchors, mode }, []).checks
const proveChain = (chain: readonly Uint8Array[], trial: Trial = {}): readonly Check[] =>
  prove({ from: 'quote', pem: Buffer.from(pemChain(chain)) }, trial)
/** `id outcome actual` of each check. */
const told = (checks: readonly Check[]): readonly string[] => checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)

const nameOf = (commonName: string): string => `CN=${commonName}, O=Intel Corporation, L=Santa Clara, ST=CA, C=US`
const [LEAF, CA, ROOT] = ['Intel SGX PCK Certificate', 'Intel SGX PCK Platform CA', 'Intel SGX Root CA'].map(nameOf)
const PROCESSOR = nameOf('Intel SGX PCK Processor CA')

describe('a genuine PCK chain says what was looked at', () => {
  it.each([
    ['platform', CA],
    ['processor', PROCESSOR],
  ] as const)('of the %s CA', (issuedBy, name) => {
    expect(told(proveChain(intel.pck({ ca: issuedBy }).chain))).toEqual([
      'TDX-18 pass 3 certificates',
      `TDX-19 pass ${LEAF} < ${name} < ${ROOT}`,
      'TDX-20 pass the pinned key, self-signed',
      `TDX-21 pass ${name} is signed by the root`,
      `TDX-22 pass ${LEAF} is signed by ${name}`,
      'TDX-23 pass each for its role',
      'TDX-24 pass all five on each',
      'TDX-25 pass P-256 and ecdsa-with-SHA256 on each',
      `TDX-26 pass complete for the ${issuedBy} CA`,
    ])
  })
})

const withLeaf = (overrides: CertificateOverrides) => intel.pck({ overrides }).chain
const withCa = (overrides: CertificateOverrides) => [leaf, intel.reissue('platform', overrides).der, root]
const withRoot = (overrides: CertificateOverrides) => [leaf, ca, intel.reissue('root', overrides).der]
const without =
  (...oids: readonly string[]) =>
  (all: readonly SimExtension[]) =>
    all.filter((one) => !oids.includes(one.oid))
const swapped = (one: SimExtension) => (all: readonly SimExtension[]) => [...without(one.oid)(all), one]
const critical = { ...extension('1.2.3', Uint8Array.of(5, 0)), critical: true }
const stranger = p256Keys()
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const rootSigner = intel.authority('root')

describe('a PCK chain that is refused says what was found, and what was not reached', () => {
  it.each<[line: string, make: () => readonly Uint8Array[]]>([
    ['TDX-19 fail 2 certificates', () => [leaf, ca]],
    ['TDX-19 fail 4 certificates', () => [leaf, ca, root, root]],
    [`TDX-19 fail ${ROOT} < ${CA} < ${LEAF}`, () => [root, ca, leaf]],
    [`TDX-19 fail ${nameOf('Intel SGX PCK')} < ${CA} < ${ROOT}`, () => withLeaf({ commonName: 'Intel SGX PCK' })],
    ['TDX-20 fail the root has another key than the pinned one', () => fakeIntel().pck().chain],
    ['TDX-20 fail the root is not signed by its issuer', () => withRoot({ signingKey: stranger.privateKey })],
    [
      `TDX-20 fail the root names ${CA} as its issuer`,
      () => withRoot({ signedBy: { ...rootSigner, commonName: 'Intel SGX PCK Platform CA' } }),
    ],
    ['TDX-21 fail is not signed by its issuer', () => withCa({ signingKey: stranger.privateKey })],
    [`TDX-21 fail names ${CA} as its issuer`, () => withCa({ signedBy: { ...rootSigner, commonName: 'Intel SGX PCK Platform CA' } })],
    ['TDX-22 fail is not signed by its issuer', () => withLeaf({ signingKey: stranger.privateKey })],
    [`TDX-22 fail names ${PROCESSOR} as its issuer`, () => [intel.pck({ ca: 'processor' }).der, ca, root]],
    [`TDX-23 fail ${CA} is not a certificate authority`, () => withCa({ extensions: swapped(basicConstraints('end-entity')) })],
    [`TDX-23 fail ${CA} does not limit its path length to 0`, () => withCa({ extensions: swapped(basicConstraints('ca', 1)) })],
    [`TDX-23 fail ${CA} may not sign certificates`, () => withCa({ extensions: swapped(keyUsage(0x40)) })],
    [`TDX-23 fail ${CA} may not sign revocation lists`, () => withCa({ extensions: swapped(keyUsage(0x20)) })],
    [`TDX-23 fail ${ROOT} has no room for an authority below it`, () => withRoot({ extensions: swapped(basicConstraints('ca', 0)) })],
    [`TDX-23 fail ${LEAF} is a certificate authority`, () => withLeaf({ extensions: swapped(basicConstraints('ca', 0)) })],
    [`TDX-23 fail ${LEAF} may not sign`, () => withLeaf({ extensions: swapped(keyUsage(0x02)) })],
    [`TDX-23 fail ${LEAF} may sign certificates or lists`, () => withLeaf({ extensions: swapped(keyUsage(0x41)) })],
    [
      `TDX-23 fail ${LEAF} has the critical extension 1.2.3, which is not understood`,
      () => withLeaf({ extensions: (all) => [...all, critical] }),
    ],
    [`TDX-23 fail ${CA} has an extension twice`, () => withCa({ extensions: (all) => [...all, keyUsage(1)] })],
    [`TDX-24 fail ${LEAF} lacks subjectKeyIdentifier`, () => withLeaf({ extensions: without('2.5.29.14') })],
    [
      `TDX-24 fail ${CA} lacks authorityKeyIdentifier, cRLDistributionPoints`,
      () => withCa({ extensions: without('2.5.29.35', '2.5.29.31') }),
    ],
    [
      `TDX-25 fail ${LEAF} is signed with 1.2.840.10045.4.3.3 inside, 1.2.840.10045.4.3.3 outside`,
      () => withLeaf({ scheme: 'ecdsa-sha384' }),
    ],
    [`TDX-25 fail ${LEAF} has a key that is no uncompressed point of P-256`, () => withLeaf({ keys: p384 })],
    ['TDX-26 fail the extension is missing', () => withLeaf({ extensions: without('1.2.840.113741.1.13.1') })],
  ])('%s', (line, make) => {
    const lines = told(proveChain(make()))
    expect(lines).toContain(line)
    const behind = lines.slice(lines.indexOf(line) + 1)
    expect(behind.map((other) => other.slice(7))).toEqual(behind.map(() => 'skip not reached'))
  })

  it('says that a signature of another algorithm was not tried', () => {
    expect(told(proveChain(withCa({ scheme: 'ecdsa-sha384' })))).toContain('TDX-21 skip not verified: of another algorithm than Intel’s')
    expect(told(proveChain(withLeaf({ scheme: 'ecdsa-sha384' })))).toContain('TDX-22 skip not verified: of another algorithm than Intel’s')
  })

  it('says so of constraints that are no DER', () => {
    const broken = { ...basicConstraints('ca'), value: Uint8Array.of(1) }
    expect(told(proveChain(withCa({ extensions: swapped(broken) })))[5]).toMatch(
      /^TDX-23 fail .*Platform CA.* cannot be read: certificate\./,
    )
  })

  it.each<[string, Trial]>([
    ['a certificate of the simulator', { mode: 'production' }],
    ['the root has another key than the pinned one', { anchors: pinnedAnchors }],
  ])('of the simulator: %s', (why, trial) => {
    expect(told(proveChain(intel.pck().chain, trial))).toContain(`TDX-20 fail ${why}`)
  })
})

describe('what is no clean chain of certificates names the place', () => {
  const garbage = Uint8Array.of(0x30, 0)
  it.each<[at: string, why: string, source: ChainSource]>([
    ['pck_chain', 'pck_chain is not certificates in PEM and nothing else', { from: 'quote', pem: Buffer.from('garbage') }],
    ['certificates[1]', 'certificates[1] is neither DER nor one PEM block', { from: 'evidence', certificates: [leaf, Buffer.from('x')] }],
  ])('%s: %s', (at, why, source) => {
    const expected = 'certificates in PEM, nothing between them, at most one NUL behind them'
    const message = `The PCK chain is clean PEM of certificates: expected ${expected}, found ${why}`
    expect(() => prove(source)).toThrow(expect.objectContaining({ code: 'tdx-pck-chain-malformed', at, message }))
  })

  it.each<[string, ChainSource]>([
    ['in a quote', { from: 'quote', pem: Buffer.from(pemChain([leaf, garbage, root])) }],
    ['beside it', { from: 'evidence', certificates: [leaf, garbage, root] }],
  ])('of a certificate %s', (_, source) => {
    const place = source.from === 'quote' ? 'pck_chain[1]' : 'certificates[1]'
    expect(() => prove(source)).toThrow(expect.objectContaining({ at: expect.stringContaining(place) as string }))
    expect(() => prove(source)).toThrow(AttestationError)
  })
})

it('a fact of a chain has the windows of its certificates, from the root down', () => {
  const { fact } = provePck(
    { from: 'evidence', certificates: [leaf, ca, root] },
    { anchors: anchorsOf([], intel.anchors()), mode: 'test' },
    [],
  )
  const windows = [root, ca, leaf]
    .map((der) => new X509Certificate(der))
    .map((one) => {
      const [, name] = /CN=(.*)/.exec(one.subject) ?? []
      return `${name} from ${one.validFromDate.toISOString()} to ${one.validToDate.toISOString()}`
    })
  expect(fact?.windows.map(({ text }) => text)).toEqual(windows)
})
