import { describe, expect, it } from 'vitest'
import {
  NO_COLLATERAL,
  NOW,
  USE,
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  ecKeys,
  listOf,
  swapped,
  years,
  type Authority,
} from '../../../../test/tpm-trust-lab.ts'
import { crlNumber, keyUsage } from '../../../simulator/der.ts'
import type { RevocationListSpec } from '../../../simulator/certificates.ts'
import { admitCollateral } from '../../admission.ts'
import type { Check, Collateral, CollateralAddress, Context, RollbackMark } from '../../verifier.ts'
import type { TpmRigour } from '../context.ts'
import { addressOfList } from './admission.ts'
import { parseTpmAddress, tpmCrlAddress } from './address.ts'
import { judgeTrust, trustNeeds } from './judge.ts'

const root = authority('root')
const intermediate = authority('intermediate', root, { serial: 0x77n })
const mute = authority('mute', root, { extensions: swapped(keyUsage(USE.keyCertSign)) })
const ak = ecKeys()
const LEAF = 0x1001n

const sourceOf = ({ spkiSha256 }: Authority) => ({ issuerSpkiSha256: spkiSha256, address: tpmCrlAddress(spkiSha256) })
const addressOf = (issuer: Authority): CollateralAddress => tpmCrlAddress(issuer.spkiSha256)
const anchorsFor = (sources: readonly Authority[]) =>
  anchorsWith({ roots: [anchorFor(root)], pool: [root.der, intermediate.der, mute.der], crlSources: sources.map(sourceOf) })

type Given = {
  readonly sources?: readonly Authority[]
  readonly lists?: readonly (readonly [Authority, Uint8Array])[]
  readonly marks?: readonly (readonly [Authority, RollbackMark])[]
  readonly rigour?: Partial<TpmRigour>
  readonly issuer?: Authority
  readonly context?: Context
}

const STANDARD = { sources: [root, intermediate], lists: [], marks: [], rigour: {}, issuer: intermediate } as const

function judge(given: Given) {
  const { sources, lists, marks, rigour, issuer } = { ...STANDARD, ...given }
  const collateral: Collateral = {
    ...NO_COLLATERAL,
    documents: new Map(lists.map(([whose, bytes]) => [addressOf(whose), bytes])),
    marks: new Map(marks.map(([whose, mark]) => [addressOf(whose), mark])),
  }
  const { checks, trust } = judgeTrust({
    akPublic: undefined,
    certificates: [akCertificate(ak.publicKey, issuer), issuer.der],
    anchors: anchorsFor(sources),
    collateral,
    context: given.context ?? contextWith({ revocation: 'require', ...rigour }),
  })
  return { verdict: verdictOf(checks.find(({ id }) => id === 'TPM-23')), trust }
}

function verdictOf(check: Check | undefined): string | undefined {
  return check?.outcome === 'fail' || check?.outcome === 'warn' ? `${check.outcome} ${check.code}` : check?.outcome
}

const list = (issuer: Authority, spec: Partial<RevocationListSpec> = {}): readonly [Authority, Uint8Array] => [issuer, listOf(issuer, spec)]
const both = (spec: Partial<RevocationListSpec> = {}) => [list(root), list(intermediate, spec)]
const UNAVAILABLE = 'fail tpm-crl-unavailable'
const REVOKED = 'fail tpm-ak-cert-revoked'
const hours = (count: number): Date => new Date(NOW.getTime() + count * 3_600_000)

describe('revocation lists of TPM authorities', () => {
  it('are checked where they are configured, and limit how long the verdict holds', () => {
    const { verdict, trust } = judge({ lists: both() })
    expect(verdict).toBe('pass')
    expect(trust).toMatchObject({ revocation: 'checked', validUntil: hours(24) })
    expect(judge({ lists: both(), rigour: { crlGraceSeconds: 3600 } }).trust?.validUntil).toEqual(hours(25))
  })
  it('are remembered, but not their verdict', () => {
    const context = contextWith({ revocation: 'require' })
    expect(judge({ lists: both(), context }).verdict).toBe('pass')
    expect(judge({ lists: both(), context: { ...context, now: hours(24) } }).verdict).toBe(UNAVAILABLE)
  })
  it('are not asked for where none is configured', () => {
    expect(judge({ sources: [] })).toMatchObject({ verdict: 'skip', trust: { revocation: 'not-configured', validUntil: years(5) } })
    expect(judge({ sources: [mute] })).toMatchObject({ verdict: 'skip', trust: { revocation: 'not-configured' } })
  })
  it('are not asked for where the policy turns them off, but a revocation that is at hand counts', () => {
    const rigour: Partial<TpmRigour> = { revocation: 'DANGEROUSLY_OFF' }
    for (const lists of [[], [list(intermediate)], both({ nextUpdate: hours(-1) })])
      expect(judge({ lists, rigour })).toMatchObject({ verdict: 'skip', trust: { revocation: 'not-checked', validUntil: years(5) } })
    expect(judge({ lists: [list(intermediate, { revoked: [LEAF] })], rigour }).verdict).toBe(REVOKED)
  })
  const refusals: readonly (readonly [string, Given, string])[] = [
    ['the leaf is on one', { lists: both({ revoked: [1n, LEAF] }) }, REVOKED],
    ['an intermediate is on one', { lists: [list(root, { revoked: [0x77n] }), list(intermediate)] }, REVOKED],
    ['the leaf is on one, and another is absent', { lists: [list(intermediate, { revoked: [LEAF] })] }, REVOKED],
    ['the leaf is on one that ended', { lists: both({ revoked: [LEAF], nextUpdate: hours(-1) }) }, REVOKED],
    ['the leaf is on one that is rolled back', { lists: both({ revoked: [LEAF] }), marks: [[intermediate, 'strictest']] }, REVOKED],
    ['one is absent', { lists: [list(intermediate)] }, UNAVAILABLE],
    ['one ended', { lists: both({ nextUpdate: NOW }) }, UNAVAILABLE],
    ['one ended longer ago than is let pass', { lists: both({ nextUpdate: hours(-1) }), rigour: { crlGraceSeconds: 3600 } }, UNAVAILABLE],
    ['one does not say when it ends', { lists: both({ nextUpdate: undefined }) }, UNAVAILABLE],
    ['one has not begun', { lists: both({ thisUpdate: hours(0.1) }), rigour: { skewSeconds: 300 } }, UNAVAILABLE],
    [
      'one has a lower number than was seen',
      { lists: both(), marks: [[intermediate, { number: 8n, thisUpdate: hours(-2) }]] },
      UNAVAILABLE,
    ],
    ['one is older than was seen', { lists: both(), marks: [[intermediate, { number: 7n, thisUpdate: hours(-0.5) }]] }, UNAVAILABLE],
    ['what was seen cannot be read', { lists: both(), marks: [[root, 'strictest']] }, UNAVAILABLE],
    ['one is signed by another', { lists: [list(root), [intermediate, listOf({ name: intermediate.name, keys: ecKeys() })]] }, UNAVAILABLE],
    ['one is another authority’s', { lists: [list(root), [intermediate, listOf(root)]] }, UNAVAILABLE],
    [
      'one is partial',
      { lists: both({ extensions: [crlNumber(7n), { oid: '2.5.29.28', critical: true, value: Uint8Array.of(0x30, 0) }] }) },
      UNAVAILABLE,
    ],
    ['one is no list', { lists: [list(root), [intermediate, Uint8Array.of(1, 2)]] }, UNAVAILABLE],
    ['the authority may not sign any', { sources: [mute], lists: [list(mute)], issuer: mute }, UNAVAILABLE],
  ]
  it.each(refusals)('refuse where %s', (_, given, verdict) => {
    const judged = judge(given)
    expect(judged.verdict).toBe(verdict)
    expect(judged.trust).toBeUndefined()
  })
  it.each(refusals.filter(([, { lists }]) => lists?.length === 2))(
    'refuse even where they are only preferred, and %s',
    (_, given, verdict) => {
      expect(judge({ ...given, rigour: { ...given.rigour, revocation: 'prefer' } }).verdict).toBe(verdict)
    },
  )
  it.each<readonly [string, Given]>([
    ['which number and date were seen before', { lists: both(), marks: [[intermediate, { number: 7n, thisUpdate: hours(-1) }]] }],
    ['which begin within the tolerance for clocks', { lists: both({ thisUpdate: hours(0.08) }), rigour: { skewSeconds: 300 } }],
    ['which ended within the grace', { lists: both({ nextUpdate: hours(-1) }), rigour: { crlGraceSeconds: 3601 } }],
    ['which revoke others', { lists: both({ revoked: [0x77n, 0x1002n] }) }],
  ])('let pass %s', (_, given) => expect(judge(given).verdict).toBe('pass'))
  it('may be absent where they are preferred, until one was seen', () => {
    const prefer: Given = { lists: [list(root)], rigour: { revocation: 'prefer' } }
    expect(judge(prefer)).toMatchObject({ verdict: 'warn tpm-crl-unavailable', trust: { revocation: 'not-checked' } })
    expect(judge({ ...prefer, marks: [[intermediate, { number: 1n, thisUpdate: years(-1) }]] }).verdict).toBe(UNAVAILABLE)
    expect(judge({ lists: [list(intermediate, { revoked: [LEAF] })], rigour: { revocation: 'prefer' } }).verdict).toBe(REVOKED)
  })

  it('are needed for every authority of a chain that has one', () => {
    const leaf = akCertificate(ak.publicKey, intermediate)
    const certificates = [leaf, intermediate.der]
    const wanted = [addressOf(intermediate), addressOf(root)]
    expect(trustNeeds(certificates, anchorsFor([root, intermediate, mute]))).toEqual(wanted)
    const { memo } = contextWith()
    expect(trustNeeds(certificates, anchorsFor([root, intermediate]), { mode: 'production', memo })).toEqual(wanted)
    expect(trustNeeds(certificates, anchorsFor([root]))).toEqual([addressOf(root)])
    for (const nothing of [
      trustNeeds(certificates, anchorsFor([])),
      trustNeeds([], anchorsFor([root])),
      trustNeeds([Uint8Array.of(1)], anchorsFor([root])),
      trustNeeds([akCertificate(ak.publicKey, authority('stranger'))], anchorsFor([root])),
    ])
      expect(nothing).toEqual([])
  })
})

describe('addresses of lists', () => {
  it('name the key of the authority', () => {
    expect(parseTpmAddress(addressOf(root))).toEqual({ kind: 'tpm-crl', issuerSpkiSha256: root.spkiSha256 })
  })
  it.each([
    'tpm/crl/',
    `tpm/crl/${'A'.repeat(64)}`,
    `tpm/crl/${'a'.repeat(63)}`,
    `tpm/crl/${'a'.repeat(64)}/`,
    `amd/crl/${'a'.repeat(64)}`,
  ])('are not %s', (text) => expect(parseTpmAddress(text)).toBeUndefined())
})

describe('a list that is to be kept', () => {
  const anchors = anchorsFor([root, intermediate])
  const admit = (bytes: Uint8Array, given = anchors, address = addressOf(root)) => admitCollateral({ address, bytes }, given, NOW)
  const unavailable = expect.objectContaining({ code: 'tpm-crl-unavailable' })
  it('is kept until it ends, with its place in the sequence', async () => {
    await expect(admit(listOf(root))).resolves.toEqual({ expiresAt: hours(24), mark: { number: 7n, thisUpdate: hours(-1) } })
    await expect(admit(listOf(root, { extensions: [] }))).resolves.toMatchObject({ mark: { number: 0n } })
  })
  it('may be signed by the key of a certificate that was renewed', async () => {
    const renewed = authority('renamed', undefined, { keys: root.keys })
    const pool = [renewed.der, root.der]
    await expect(admit(listOf(root), anchorsWith({ pool, crlSources: [sourceOf(root)] }))).resolves.toBeDefined()
    await expect(admit(listOf(root), anchorsWith({ pool: [renewed.der], crlSources: [sourceOf(root)] }))).rejects.toThrow(unavailable)
    const forged = listOf({ name: root.name, keys: ecKeys() })
    await expect(admit(forged, anchorsWith({ pool, crlSources: [sourceOf(root)] }))).rejects.toThrow(unavailable)
  })
  it.each([
    ['another authority’s', () => admit(listOf(intermediate))],
    ['an authority’s without a source', () => admit(listOf(root), anchorsFor([intermediate]))],
    ['an authority’s without a certificate', () => admit(listOf(root), anchorsWith({ crlSources: [sourceOf(root)] }))],
    ['ended', () => admit(listOf(root, { nextUpdate: NOW }))],
    ['without an end', () => admit(listOf(root, { nextUpdate: undefined }))],
    ['of the future', () => admit(listOf(root, { thisUpdate: hours(0.09) }))],
    ['of no address', () => admit(listOf(root), anchors, 'tpm/crl/x')],
    ['no list', () => admit(Uint8Array.of(1))],
  ])('is not kept where it is %s', async (_, admitted) => expect(admitted()).rejects.toThrow(unavailable))
  it('finds its address by who signed it', () => {
    expect(addressOfList(listOf(intermediate), anchors)).toBe(addressOf(intermediate))
    expect(addressOfList(listOf(mute), anchors)).toBeUndefined()
    expect(addressOfList(Uint8Array.of(1), anchors)).toBeUndefined()
  })
})
