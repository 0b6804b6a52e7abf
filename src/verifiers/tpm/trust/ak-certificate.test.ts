import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { basicConstraints, keyUsage } from '../../../simulator/der.ts'
import {
  NO_COLLATERAL,
  NOW,
  USE,
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  directoryNames,
  ecKeys,
  purposes,
  spkiOf,
  swapped,
  tlv,
  tpmAttributes,
  without,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import { markerExtension } from '../../../simulator/marker.ts'
import type { TpmAnchor } from '../anchors.ts'
import type { TpmRigour } from '../context.ts'
import type { TrustInput } from './input.ts'
import { judgeTrust } from './judge.ts'

const root = authority('root')
const intermediate = authority('intermediate', root)
const ak = ecKeys()
const other = ecKeys()
const name = `000b${'ab'.repeat(32)}`
const identity = { name, spki: spkiOf(ak.publicKey) }

type Given = {
  readonly leaf?: Variation
  readonly certificates?: readonly Uint8Array[]
  readonly roots?: readonly TpmAnchor[]
  readonly pool?: readonly Uint8Array[]
  readonly akPublic?: TrustInput['akPublic']
  readonly rigour?: Partial<TpmRigour>
  readonly now?: Date
  readonly mode?: 'production' | 'test' | 'demo'
}

function judge(given: Given = {}) {
  const { leaf = {}, roots = [anchorFor(root)], pool = [root.der], rigour, ...more } = given
  return judgeTrust({
    akPublic: 'akPublic' in given ? given.akPublic : identity,
    certificates: given.certificates ?? [akCertificate(ak.publicKey, intermediate, leaf), intermediate.der],
    anchors: anchorsWith({ roots, pool }),
    collateral: NO_COLLATERAL,
    context: contextWith(rigour, more),
  })
}

const failures = ({ checks }: ReturnType<typeof judgeTrust>) =>
  checks.flatMap((check) => (check.outcome === 'fail' ? [`${check.id} ${check.code}`] : []))
const refused = (given: Given) => {
  const judged = judge(given)
  expect(judged.trust).toBeUndefined()
  return failures(judged)
}

const late = (seconds: number) => new Date(years(5).getTime() + seconds * 1000)
const usage = (hex: string) => ({ ...keyUsage(0), value: new Uint8Array(Buffer.from(hex, 'hex')) })
const CHAIN = ['TPM-19 tpm-ak-cert-chain-invalid']
const authorityDigest = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('a certificate of an attestation key', () => {
  it('is trusted up to a configured anchor, and tells whose', () => {
    const { checks, trust } = judge()
    expect(failures({ checks })).toEqual([])
    expect(checks.map(({ id }) => id)).toEqual(['TPM-18', 'TPM-19', 'TPM-20', 'TPM-21', 'TPM-22', 'TPM-23', 'TPM-24', 'TPM-31'])
    expect(trust).toMatchObject({
      model: 'ak-cert',
      binds: 'key',
      name,
      certificate: {
        anchor_sha256: root.sha256,
        authority: 'lab',
        issuer: 'CN=intermediate',
        serial: '1001',
      },
      ek: null,
      gce: null,
      revocation: 'not-configured',
      validUntil: years(5),
    })
    expect(trust?.key.equals(ak.publicKey)).toBe(true)
  })
  it('may end in an anchor that is no root, and needs nothing above it', () => {
    expect(judge({ roots: [anchorFor(intermediate)], pool: [] }).trust?.certificate?.anchor_sha256).toBe(intermediate.sha256)
  })
  it('takes certificates from the evidence and from configuration', () => {
    const leaf = akCertificate(ak.publicKey, intermediate)
    expect(failures(judge({ certificates: [leaf, intermediate.der, root.der], pool: [] }))).toEqual([])
    expect(failures(judge({ certificates: [leaf], pool: [intermediate.der, root.der] }))).toEqual([])
    expect(failures(judge({ certificates: [leaf], pool: [intermediate.der, root.der, Uint8Array.of(0x30, 0)] }))).toEqual([])
  })
  it('is known without a public area by its own key alone', () => {
    expect(judge({ akPublic: undefined }).trust).toMatchObject({ model: 'ak-cert', name: null })
  })
  it('ends when the first of its chain does', () => {
    const short = authority('intermediate', root, { keys: intermediate.keys, notAfter: years(1) })
    expect(judge({ certificates: [akCertificate(ak.publicKey, intermediate), short.der] }).trust?.validUntil).toEqual(years(1))
  })
  it('finds the way that is valid now among several', () => {
    const ended = authority('intermediate', root, { keys: intermediate.keys, notAfter: years(-0.5) })
    const leaf = akCertificate(ak.publicKey, intermediate)
    for (const certificates of [
      [leaf, ended.der, intermediate.der],
      [leaf, intermediate.der, ended.der],
    ])
      expect(failures(judge({ certificates }))).toEqual([])
    expect(refused({ certificates: [leaf, ended.der] })).toEqual(['TPM-20 tpm-ak-cert-expired'])
  })

  const stranger = authority('root')
  const strangers = authority('intermediate', stranger)
  const sham = authority('intermediate', root, { extensions: swapped(basicConstraints('end-entity')) })
  const under = (issuer: typeof intermediate): Given => ({
    certificates: [akCertificate(ak.publicKey, issuer), issuer.der],
  })
  const changed = (variation: Variation): Given => under(authority('intermediate', root, variation))
  it.each<readonly [string, Given]>([
    ['nobody is trusted', { roots: [] }],
    ['the anchor is one for endorsement keys', { roots: [anchorFor(root, { roles: ['ek'] })] }],
    ['the anchor is one of a test, in production', { roots: [anchorFor(root, { origin: 'test' })] }],
    ['a root of the same name signed it', under(strangers)],
    ['the root of the same name came with it', { certificates: [akCertificate(ak.publicKey, stranger), stranger.der] }],
    ['the leaf alone is there', { certificates: [akCertificate(ak.publicKey, intermediate)] }],
    ['the leaf is itself pinned', pinnedLeaf()],
    ['the intermediate is no authority', under(sham)],
    ['the intermediate does not say so critically', changed({ extensions: swapped({ ...basicConstraints('ca'), critical: false }) })],
    ['the intermediate may not sign certificates', changed({ extensions: swapped(keyUsage(USE.crlSign)) })],
    ['the intermediate does not say what it may sign', changed({ extensions: without('2.5.29.15') })],
    ['the intermediate is for web servers', changed({ extensions: (all) => [...all, purposes('1.3.6.1.5.5.7.3.1')] })],
    [
      'the intermediate has an unknown critical extension',
      changed({ extensions: (all) => [...all, { oid: '1.2.3.4', critical: true, value: tlv(5) }] }),
    ],
    ['the intermediate limits names', changed({ extensions: (all) => [...all, { oid: '2.5.29.30', critical: false, value: tlv(0x30) }] })],
    [
      'the intermediate has an extension that is no DER',
      changed({ extensions: (all) => [...all, { oid: '2.5.29.37', critical: false, value: tlv(5) }] }),
    ],
    ['the intermediate says two algorithms', changed({ innerScheme: 'ecdsa-sha384' })],
    ['the key of the intermediate is on a weak curve', weakCurve()],
    ['an authority above limits the path', limited(0)],
    ['the leaf is cut short', { certificates: [akCertificate(ak.publicKey, intermediate).slice(0, -1), intermediate.der] }],
    ['the leaf is no certificate', { certificates: [Uint8Array.of(1, 2, 3), intermediate.der] }],
    [
      'the leaf has an unknown critical extension',
      { leaf: { extensions: (all) => [...all, { oid: '1.2.3.4', critical: true, value: tlv(5) }] } },
    ],
    ['the leaf has an extension twice', { leaf: { extensions: (all) => [...all, keyUsage(USE.digitalSignature)] } }],
    [
      'the leaf has a critical name that is no directory name',
      { leaf: { extensions: (all) => [...all, { oid: '2.5.29.17', critical: true, value: tlv(0x30, tlv(0x82, Buffer.from('a.b'))) }] } },
    ],
    ['the leaf holds the mark of the simulator', { leaf: { extensions: (all) => [...all, markerExtension] } }],
    ['the intermediate holds the mark of the simulator', changed({ extensions: (all) => [...all, markerExtension] })],
    ['the chain is longer than six', deep(6)],
  ])('is not trusted where %s', (_, given) => expect(refused(given)).toEqual(CHAIN))

  function pinnedLeaf(): Given {
    const leaf = akCertificate(ak.publicKey, intermediate)
    const sha256 = authorityDigest(leaf)
    return { certificates: [leaf], roots: [anchorFor({ sha256 })], pool: [] }
  }
  function weakCurve(): Given {
    const keys = ecKeys('secp256k1')
    return changed({ keys })
  }
  /** A chain through two authorities below the root, the upper of which allows so many below it. */
  function limited(pathLength: number): Given {
    const upper = authority('upper', root, { extensions: swapped(basicConstraints('ca', pathLength)) })
    const lower = authority('lower', upper)
    return { certificates: [akCertificate(ak.publicKey, lower), lower.der, upper.der] }
  }
  /** A chain of so many authorities, the root included. */
  function deep(authorities: number): Given {
    const all = [root]
    for (let at = 1; at < authorities; at += 1) all.unshift(authority(`level ${at}`, all[0]))
    const [lowest = root] = all
    return { certificates: [akCertificate(ak.publicKey, lowest), ...all.map(({ der }) => der)] }
  }
  it('may stand below as many authorities as the limits allow', () => {
    expect(failures(judge(limited(1)))).toEqual([])
    expect(failures(judge(deep(5)))).toEqual([])
  })
  it('does not count an authority that renewed itself towards the limit of paths', () => {
    const upper = authority('upper', root, { extensions: swapped(basicConstraints('ca', 0)) })
    const renewed = authority('upper', upper)
    expect(failures(judge({ certificates: [akCertificate(ak.publicKey, renewed), renewed.der, upper.der] }))).toEqual([])
  })
  it('is not searched for without end', () => {
    // Every one of these is by name the issuer of the leaf, and of the others.
    const crowd = Array.from(
      { length: 60 },
      (_, serial) =>
        authority('crowd', { name: root.name, keys: other }, { serial: BigInt(serial + 1), subject: root.name, keys: other }).der,
    )
    expect(refused({ certificates: [akCertificate(ak.publicKey, { name: root.name, keys: other }), ...crowd], pool: [] })).toEqual(CHAIN)
  })
  it('counts in a test with the mark of the simulator', () => {
    const leaf = { extensions: (all: readonly ReturnType<typeof purposes>[]) => [...all, markerExtension] }
    expect(failures(judge({ mode: 'test', roots: [anchorFor(root, { origin: 'test' })], leaf }))).toEqual([])
  })

  it.each<readonly [string, Given, string]>([
    ['ended', { now: years(5.1) }, 'TPM-20 tpm-ak-cert-expired'],
    ['not begun', { now: years(-1.1) }, 'TPM-20 tpm-ak-cert-expired'],
    ['ended by a second', { now: new Date(years(5).getTime() + 1000) }, 'TPM-20 tpm-ak-cert-expired'],
    ['another key', { leaf: { publicKey: other.publicKey } }, 'TPM-21 tpm-ak-cert-key-mismatch'],
    ['the purpose of servers', { leaf: { extensions: swapped(purposes('1.3.6.1.5.5.7.3.1')) } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    [
      'the purpose of endorsement keys, under another authority than Google',
      { leaf: { extensions: swapped(purposes('2.23.133.8.1')) } },
      'TPM-22 tpm-ak-cert-usage-invalid',
    ],
    ['any purpose', { leaf: { extensions: swapped(purposes('2.5.29.37.0')) } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    ['no purpose', { leaf: { extensions: without('2.5.29.37') } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    ['a key that may not sign', { leaf: { extensions: swapped(keyUsage(USE.keyEncipherment)) } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    ['no keyUsage', { leaf: { extensions: without('2.5.29.15') } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    ['a keyUsage of three bytes', { leaf: { extensions: swapped(usage('030403800000')) } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['a keyUsage of no bit', { leaf: { extensions: swapped(usage('030100')) } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['a keyUsage of nine unused bits', { leaf: { extensions: swapped(usage('03020980')) } }, 'TPM-19 tpm-ak-cert-chain-invalid'],
    ['the powers of an authority', { leaf: { extensions: swapped(basicConstraints('ca')) } }, 'TPM-22 tpm-ak-cert-usage-invalid'],
    [
      'the right to sign lists',
      { leaf: { extensions: swapped(keyUsage(USE.digitalSignature | USE.crlSign)) } },
      'TPM-22 tpm-ak-cert-usage-invalid',
    ],
    ['a name that is denied', { rigour: { deniedAks: [name] } }, 'TPM-31 tpm-ak-revoked'],
    ['a key that is denied', { rigour: { deniedAks: [`spki:${authorityDigest(identity.spki)}`] } }, 'TPM-31 tpm-ak-revoked'],
    [
      'a name that nobody tells, where names are denied',
      { akPublic: undefined, rigour: { deniedAks: ['000b00'] } },
      'TPM-31 tpm-ak-revoked',
    ],
    [
      'another name than the one that is denied, where only its sender tells it',
      { rigour: { deniedAks: [`000b${'cd'.repeat(32)}`] } },
      'TPM-31 tpm-ak-revoked',
    ],
  ])('is refused with %s', (_, given, failure) => expect(refused(given)).toEqual([failure]))
  it('is not refused for the denial of others', () => {
    const deniedAks = [`000b${'cd'.repeat(32)}`, `spki:${'00'.repeat(32)}`]
    const roots = [anchorFor(root, { authority: 'google' })]
    expect(failures(judge({ roots, rigour: { deniedAks } }))).toEqual([])
    expect(failures(judge({ akPublic: undefined, rigour: { deniedAks: deniedAks.slice(1) } }))).toEqual([])
  })
  it('is given the tolerance for clocks, five minutes at most', () => {
    expect(failures(judge({ now: late(300), rigour: { skewSeconds: 300 } }))).toEqual([])
    expect(refused({ now: late(301), rigour: { skewSeconds: 9999 } })).toEqual(['TPM-20 tpm-ak-cert-expired'])
    expect(failures(judge({ now: years(5) }))).toEqual([])
  })
  it('is fit with a keyUsage of two bytes that need not be critical', () => {
    expect(failures(judge({ leaf: { extensions: swapped({ ...usage('0303018002'), critical: false }) } }))).toEqual([])
  })
  it('is fit with a critical directory name', () => {
    const san = { oid: '2.5.29.17', critical: true, value: directoryNames([tpmAttributes()]) }
    expect(failures(judge({ leaf: { extensions: (all) => [...all, san] } }))).toEqual([])
  })
  it('is remembered under these anchors and in this mode only', () => {
    const context = contextWith()
    const certificates = [akCertificate(ak.publicKey, intermediate), intermediate.der]
    const input = {
      akPublic: identity,
      certificates,
      anchors: anchorsWith({ roots: [anchorFor(root)], pool: [root.der] }),
      collateral: NO_COLLATERAL,
      context,
    }
    expect(failures(judgeTrust(input))).toEqual([])
    expect(failures(judgeTrust(input))).toEqual([])
    expect(failures(judgeTrust({ ...input, anchors: anchorsWith({ pool: [root.der] }) }))).toEqual(CHAIN)
    expect(failures(judgeTrust({ ...input, context: { ...context, now: years(6) } }))).toEqual(['TPM-20 tpm-ak-cert-expired'])
    expect(NOW).toEqual(context.now)
  })
})
