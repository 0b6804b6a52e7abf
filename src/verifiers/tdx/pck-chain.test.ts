import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { pemChain } from '../../simulator/certification.ts'
import { basicConstraints, derSequence, extension, keyUsage, type SimExtension } from '../../simulator/der.ts'
import { p256Keys } from '../../simulator/intel-authorities.ts'
import { fakeIntel } from '../../simulator/intel.ts'
import { intelName } from '../../simulator/names.ts'
import type { CertificateOverrides } from '../../simulator/overrides.ts'
import { anchorsOf, pinnedAnchors } from '../anchors.ts'
import { attempt } from '../der-attempt.ts'
import type { Anchors, Mode } from '../verifier.ts'
import { parseCertificate } from '../x509.ts'
import { provePck, type ChainSource, type PckProof } from './pck-chain.ts'

const now = new Date('2026-11-24T12:00:00Z')
const intel = fakeIntel({ now })
const anchors = anchorsOf([], intel.anchors())
const genuine = intel.pck()
const [leaf, ca, root] = genuine.chain

type Trial = { readonly anchors?: Anchors; readonly mode?: Mode }
const prove = (source: ChainSource, trial: Trial = {}): PckProof =>
  provePck(source, { anchors: trial.anchors ?? anchors, mode: trial.mode ?? 'test' }, [])
const pem = (bytes: Uint8Array | string): ChainSource => ({ from: 'quote', pem: Buffer.from(bytes) })
const proveChain = (chain: readonly Uint8Array[], trial: Trial = {}) => prove(pem(pemChain(chain)), trial)

const failures = ({ checks }: PckProof): readonly string[] =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
/** What refuses a chain: there is no fact, and one check has failed. */
const refusal = (proof: PckProof): readonly string[] => (proof.fact === undefined ? failures(proof) : ['a fact'])

const ALL = [18, 19, 20, 21, 22, 23, 24, 25, 26].map((number) => `TDX-${number}`)

describe('a genuine PCK chain', () => {
  it.each(['platform', 'processor'] as const)('of the %s CA is proven, every check of TDX-18 to 26 told', (issuedBy) => {
    const pck = intel.pck({ ca: issuedBy })
    const { fact, checks } = proveChain(pck.chain)
    expect(checks.map(({ id, outcome }) => `${id} ${outcome}`)).toEqual(ALL.map((id) => `${id} pass`))
    expect(fact).toMatchObject({ issuedBy, leaf: { serial: pck.serial }, extension: { ppid: pck.fields.ppid } })
    expect(fact?.windows.map(({ notAfter }) => notAfter)).toEqual(pck.chain.toReversed().map((der) => parseCertificate(der).notAfter))
    expect(fact?.key.export({ type: 'spki', format: 'der' })).toEqual(Buffer.from(parseCertificate(pck.der).spki))
  })

  it('may end in a NUL, and may come beside the quote as DER or PEM', () => {
    expect(prove(pem(Buffer.concat([pemChain(genuine.chain), Uint8Array.of(0)]))).fact).toBeDefined()
    expect(prove({ from: 'evidence', certificates: genuine.chain }).fact).toBeDefined()
    expect(prove({ from: 'evidence', certificates: genuine.chain.map((der) => pemChain([der])) }).fact).toBeDefined()
  })

  it('is only what the anchors and the mode make of it', () => {
    const pinned = anchorsOf(
      [],
      intel.anchors().map((anchor) => ({ ...anchor, origin: 'pinned' as const })),
    )
    const untrusted = ['TDX-20 tdx-root-ca-untrusted']
    expect(refusal(proveChain(genuine.chain, { anchors: pinnedAnchors }))).toEqual(untrusted)
    expect(refusal(proveChain(genuine.chain, { mode: 'production' }))).toEqual(untrusted)
    // Every certificate carries the marker, which production refuses whatever it is told to trust.
    expect(refusal(proveChain(genuine.chain, { anchors: pinned, mode: 'production' }))).toEqual(untrusted)
    expect(refusal(proveChain(genuine.chain, { anchors: anchorsOf([]) }))).toEqual(untrusted)
  })

  it('is refused in production when any of it is simulated, and trusted when none is', () => {
    const plain = unmarked({})
    const production = { anchors: plain.anchors, mode: 'production' } as const
    expect(proveChain(plain.chain, production).fact).toBeDefined()
    for (const marked of ['leaf', 'ca', 'root'] as const) {
      expect(refusal(proveChain(unmarked({ [marked]: {} }).chain, production))).toEqual(['TDX-20 tdx-root-ca-untrusted'])
    }
  })

  it('is refused in production under a root that is pinned for tests alone', () => {
    const { chain, anchors: asPinned } = unmarked({})
    const asTest = anchorsOf(
      [],
      asPinned.intel.map((anchor) => ({ ...anchor, origin: 'test' as const })),
    )
    expect(refusal(proveChain(chain, { anchors: asTest, mode: 'production' }))).toEqual(['TDX-20 tdx-root-ca-untrusted'])
    expect(proveChain(chain, { anchors: asTest }).fact).toBeDefined()
  })
})

const omit = (marked: object | undefined): CertificateOverrides => (marked === undefined ? { marker: 'omit' } : {})

/** A chain without the marker, apart from the certificates that are named, whose root counts as pinned. */
function unmarked(marked: { readonly leaf?: object; readonly ca?: object; readonly root?: object }) {
  const chain = [
    intel.pck({ overrides: omit(marked.leaf) }).der,
    intel.reissue('platform', omit(marked.ca)).der,
    intel.reissue('root', omit(marked.root)).der,
  ]
  const asPinned = intel.anchors().map((anchor) => ({ ...anchor, origin: 'pinned' as const }))
  return { chain, anchors: anchorsOf([], asPinned) }
}

describe('TDX-18', () => {
  const garbage = Uint8Array.of(0x30, 3, 1, 2, 3)
  it.each([
    ['nothing', pem('')],
    ['garbage', pem('garbage')],
    ['DER in the quote', pem(leaf)],
    ['text between the blocks', pem(Buffer.concat([pemChain([leaf]), Buffer.from('x\n'), pemChain([ca, root])]))],
    ['a block that is no certificate', pem(pemChain([leaf, garbage, root]))],
    ['a fourth block that is no certificate', pem(pemChain([leaf, ca, root, garbage]))],
    ['two NULs', pem(Buffer.concat([pemChain(genuine.chain), Uint8Array.of(0, 0)]))],
    ['garbage beside the quote', { from: 'evidence', certificates: [leaf, garbage, root] }],
    ['a chain as one beside the quote', { from: 'evidence', certificates: [pemChain(genuine.chain)] }],
  ] as readonly (readonly [string, ChainSource])[])('refuses %s', (_, source) => {
    const thrown = expect.objectContaining({ code: 'tdx-pck-chain-malformed' })
    expect(() => prove(source)).toThrow(thrown)
    const before = { id: 'TDX-17', title: 'before', outcome: 'pass' } as const
    const { checks } = attempt(() => provePck(source, { anchors, mode: 'test' }, [before]))
    expect(checks.map(({ id, outcome }) => [id, outcome])).toEqual([
      ['TDX-17', 'pass'],
      ['TDX-18', 'fail'],
    ])
  })
})

const other = fakeIntel({ now })
const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
const stranger = p256Keys()
const without = (oid: string) => (all: readonly SimExtension[]) => all.filter((one) => one.oid !== oid)
const swapped = (one: SimExtension) => (all: readonly SimExtension[]) => [...without(one.oid)(all), one]
const added = (one: SimExtension) => (all: readonly SimExtension[]) => [...all, one]

const withLeaf = (overrides: CertificateOverrides) => intel.pck({ overrides }).chain
const withCa = (overrides: CertificateOverrides) => [leaf, intel.reissue('platform', overrides).der, root]
const withRoot = (overrides: CertificateOverrides) => [leaf, ca, intel.reissue('root', overrides).der]
/** A CA with another key, and a leaf under it. */
const underKeys = (
  keys: { publicKey: typeof p384.publicKey; privateKey: typeof p384.privateKey },
  scheme: 'ecdsa-sha256' | 'ecdsa-sha384',
) => {
  const authority = intel.reissue('platform', { keys })
  return [intel.pck({ overrides: { signingKey: keys.privateKey, scheme } }).der, authority.der, root]
}
const SIGNS_CERTIFICATES = 0x20
const SIGNS_LISTS = 0x40
const SIGNS = 0x01
const NAME = 'Intel SGX PCK Platform CA'
const UNIT = { oid: '2.5.4.11', value: 'Engineering', as: 'utf8String' } as const

/** Bytes of a certificate replaced by others of the same length, from the last place where they are. */
function patched(der: Uint8Array, from: string, to: string): Uint8Array {
  const bytes = Buffer.from(der)
  Buffer.from(to, 'latin1').copy(bytes, bytes.lastIndexOf(Buffer.from(from, 'latin1')))
  return new Uint8Array(bytes)
}

describe('a PCK chain is refused', () => {
  const INCOMPLETE = 'TDX-19 tdx-pck-chain-incomplete'
  const UNTRUSTED = 'TDX-20 tdx-root-ca-untrusted'
  const INTERMEDIATE = 'TDX-21 tdx-intermediate-ca-invalid'
  const SIGNATURE = 'TDX-22 tdx-pck-cert-invalid-signature'
  const CONSTRAINTS = 'TDX-23 tdx-certificate-constraints-violated'
  const EXTENSIONS = 'TDX-24 tdx-certificate-extensions-missing'
  const ALGORITHM = 'TDX-25 tdx-certificate-algorithm-unsupported'

  it.each([
    ['in the wrong order', INCOMPLETE, () => [root, ca, leaf]],
    ['without the root', INCOMPLETE, () => [leaf, ca]],
    ['with a fourth certificate', INCOMPLETE, () => [leaf, ca, root, root]],
    ['with the leaf in the place of the CA', INCOMPLETE, () => [leaf, leaf, root]],
    ['with the TCB signer as the leaf', INCOMPLETE, () => [intel.authority('tcb-signing').der, ca, root]],
    ['whose leaf has another name', INCOMPLETE, () => withLeaf({ commonName: 'Intel SGX PCK certificate' })],
    ['whose leaf has more in its name', INCOMPLETE, () => withLeaf({ subject: [...intelName('Intel SGX PCK Certificate'), UNIT] })],
    ['whose root has another name', INCOMPLETE, () => withRoot({ commonName: 'Intel SGX Root' })],
    ['whose CA is of another country', INCOMPLETE, () => [leaf, patched(ca, 'US0Y', 'DE0Y'), root]],
    ['of another Intel', UNTRUSTED, () => other.pck().chain],
    ['with another root of the same name', UNTRUSTED, () => [leaf, ca, other.authority('root').der]],
    ['whose root is not self-signed', UNTRUSTED, () => withRoot({ signingKey: stranger.privateKey })],
    ['whose root names another issuer', UNTRUSTED, () => withRoot({ signedBy: { ...intel.authority('root'), commonName: NAME } })],
    ['whose CA another key signed', INTERMEDIATE, () => withCa({ signingKey: stranger.privateKey })],
    ['whose CA names another issuer', INTERMEDIATE, () => withCa({ signedBy: { ...intel.authority('root'), commonName: NAME } })],
    ['whose CA is that of another Intel', INTERMEDIATE, () => [leaf, other.authority('platform').der, root]],
    ['whose leaf another key signed', SIGNATURE, () => withLeaf({ signingKey: stranger.privateKey })],
    ['whose leaf the root signed', SIGNATURE, () => withLeaf({ signingKey: intel.authority('root').privateKey })],
    ['whose leaf names the other CA', SIGNATURE, () => [intel.pck({ ca: 'processor' }).der, ca, root]],
    ['whose CA says that it is none', CONSTRAINTS, () => withCa({ extensions: swapped(basicConstraints('end-entity')) })],
    ['whose CA has no path length', CONSTRAINTS, () => withCa({ extensions: swapped(basicConstraints('ca')) })],
    ['whose CA has path length 1', CONSTRAINTS, () => withCa({ extensions: swapped(basicConstraints('ca', 1)) })],
    ['whose CA may not sign certificates', CONSTRAINTS, () => withCa({ extensions: swapped(keyUsage(SIGNS_LISTS)) })],
    ['whose CA may not sign lists', CONSTRAINTS, () => withCa({ extensions: swapped(keyUsage(SIGNS_CERTIFICATES)) })],
    ['whose root may not sign lists', CONSTRAINTS, () => withRoot({ extensions: swapped(keyUsage(SIGNS_CERTIFICATES)) })],
    ['whose root has path length 0', CONSTRAINTS, () => withRoot({ extensions: swapped(basicConstraints('ca', 0)) })],
    ['whose root is no CA', CONSTRAINTS, () => withRoot({ extensions: swapped(basicConstraints('end-entity')) })],
    ['whose leaf is a CA', CONSTRAINTS, () => withLeaf({ extensions: swapped(basicConstraints('ca', 0)) })],
    ['whose leaf may not sign', CONSTRAINTS, () => withLeaf({ extensions: swapped(keyUsage(0x02)) })],
    ['whose leaf may sign certificates', CONSTRAINTS, () => withLeaf({ extensions: swapped(keyUsage(SIGNS | SIGNS_CERTIFICATES)) })],
    ['whose leaf may sign lists', CONSTRAINTS, () => withLeaf({ extensions: swapped(keyUsage(SIGNS | SIGNS_LISTS)) })],
    ['whose key usage is not critical', CONSTRAINTS, () => withLeaf({ extensions: swapped({ ...keyUsage(SIGNS), critical: false }) })],
    [
      'with an unknown critical extension',
      CONSTRAINTS,
      () => withLeaf({ extensions: added({ ...extension('1.2.3', Uint8Array.of(5, 0)), critical: true }) }),
    ],
    ['with an extension twice', CONSTRAINTS, () => withCa({ extensions: added(keyUsage(SIGNS)) })],
    [
      'with constraints that are no DER',
      CONSTRAINTS,
      () => withCa({ extensions: swapped({ ...basicConstraints('ca'), value: Uint8Array.of(1) }) }),
    ],
    ...['2.5.29.35', '2.5.29.31', '2.5.29.14'].flatMap((oid) => [
      [`whose leaf lacks ${oid}`, EXTENSIONS, () => withLeaf({ extensions: without(oid) })] as const,
      [`whose CA lacks ${oid}`, EXTENSIONS, () => withCa({ extensions: without(oid) })] as const,
      [`whose root lacks ${oid}`, EXTENSIONS, () => withRoot({ extensions: without(oid) })] as const,
    ]),
    ['whose leaf lacks basicConstraints', EXTENSIONS, () => withLeaf({ extensions: without('2.5.29.19') })],
    ['whose CA is signed with SHA-384', ALGORITHM, () => withCa({ scheme: 'ecdsa-sha384' })],
    ['whose leaf is signed with SHA-384', ALGORITHM, () => withLeaf({ scheme: 'ecdsa-sha384' })],
    ['whose CA has a P-384 key', ALGORITHM, () => underKeys(p384, 'ecdsa-sha384')],
    ['whose leaf has a P-384 key', ALGORITHM, () => withLeaf({ keys: p384 })],
  ] as readonly (readonly [string, string, () => readonly Uint8Array[]])[])('%s (%s)', (_, code, make) => {
    const proof = proveChain(make())
    expect(refusal(proof)).toEqual([code])
    expect(proof.checks.map(({ id }) => id)).toEqual(ALL)
  })

  it.each([
    ['leaf', () => [resigned(leaf, intel.authority('platform').privateKey, offCurve), ca, root], ALGORITHM],
    ['CA', () => [leaf, resigned(ca, intel.authority('root').privateKey, offCurve), root], SIGNATURE],
  ] as const)('whose %s has a key that is no point of the curve', (_, make, code) => expect(refusal(proveChain(make()))).toEqual([code]))
})

/** The point of a P-256 key, one bit off. */
function offCurve(tbs: Buffer): void {
  const at = tbs.indexOf(Buffer.from('2a8648ce3d03010703420004', 'hex')) + 12
  tbs[at] = (tbs[at] ?? 0) ^ 1
}

/** A certificate whose signed part was changed before it was signed again. */
function resigned(der: Uint8Array, key: KeyObject, change: (tbs: Buffer) => void): Uint8Array {
  const { tbs, outerAlgorithm } = parseCertificate(der)
  const changed = Buffer.from(tbs)
  change(changed)
  const signature = sign('sha256', changed, key)
  return derSequence([changed, outerAlgorithm.der, Uint8Array.of(3, signature.length + 1, 0, ...signature)])
}
