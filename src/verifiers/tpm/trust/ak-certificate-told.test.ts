import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { basicConstraints, keyUsage } from '../../../simulator/der.ts'
import { markerExtension } from '../../../simulator/marker.ts'
import {
  NO_COLLATERAL,
  USE,
  akCertificate,
  anchorFor,
  anchorsWith,
  authority,
  contextWith,
  ecKeys,
  keyedBy,
  purposes,
  spkiOf,
  swapped,
  tlv,
  without,
  years,
  type Variation,
} from '../../../../test/tpm-trust-lab.ts'
import type { TpmAnchor } from '../anchors.ts'
import type { TpmRigour } from '../context.ts'
import type { TrustInput } from './input.ts'
import { judgeTrust } from './judge.ts'

const root = authority('root')
const intermediate = authority('intermediate', root)
const ak = ecKeys()
const name = `000b${'ab'.repeat(32)}`
const identity = { name, spki: spkiOf(ak.publicKey) }
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

type Given = {
  readonly leaf?: Variation
  readonly certificates?: readonly Uint8Array[]
  readonly roots?: readonly TpmAnchor[]
  readonly akPublic?: TrustInput['akPublic']
  readonly rigour?: Partial<TpmRigour>
  readonly now?: Date
}

/** `id outcome actual` of every check. */
function told(given: Given = {}): readonly string[] {
  const { leaf = {}, roots = [anchorFor(root)], rigour, ...more } = given
  const { checks } = judgeTrust({
    akPublic: 'akPublic' in given ? given.akPublic : identity,
    certificates: given.certificates ?? [akCertificate(ak.publicKey, intermediate, leaf), intermediate.der],
    anchors: anchorsWith({ roots, pool: [root.der] }),
    collateral: NO_COLLATERAL,
    context: contextWith(rigour, more),
  })
  return checks.map(({ id, outcome, actual }) => `${id} ${outcome} ${actual}`)
}
const failures = (given: Given): readonly string[] => told(given).filter((line) => line.includes(' fail '))

const WINDOW = `from ${years(-1).toISOString()} to ${years(5).toISOString()}`
const NOW = 'now 2026-11-01T12:00:00.000Z'
const KEY = digestOf(identity.spki)

describe('a certificate of an attestation key that is trusted says what was looked at', () => {
  it('up to its anchor', () => {
    expect(told()).toEqual([
      'TPM-18 pass ak-cert',
      `TPM-19 pass 3 certificates to ${root.sha256} (lab)`,
      `TPM-20 pass CN=ak ${WINDOW}; CN=intermediate ${WINDOW}; CN=root ${WINDOW}; ${NOW}`,
      `TPM-21 pass certificate ${KEY}, public area ${KEY}`,
      'TPM-22 pass a certificate for an attestation key',
      'TPM-23 skip no list is configured for the authorities of this chain',
      'TPM-24 skip the certificate holds none',
      'TPM-31 pass the attestation key is on none',
    ])
  })

  it('without a public area beside it', () => {
    expect(told({ akPublic: undefined })).toContain('TPM-21 skip no public area came with the evidence')
  })

  it('of an empty subject by its serial number', () => {
    expect(told({ leaf: { subject: [] } })[2]).toMatch(/^TPM-20 pass serial 1001 from /)
  })

  it('where the policy turns revocation off', () => {
    expect(told({ rigour: { revocation: 'DANGEROUSLY_OFF' } })).toContain('TPM-23 skip not asked: the policy turns revocation off')
  })
})

const under = (issuer: typeof intermediate): Given => ({ certificates: [akCertificate(ak.publicKey, issuer), issuer.der] })
const changed = (variation: Variation): Given => under(authority('intermediate', root, variation))
const UNKNOWN = { oid: '1.2.3.4', critical: true, value: tlv(5) }
const OF_INTERMEDIATE = 'TPM-19 fail CN=intermediate:'
const limited = (): Given => {
  const upper = authority('upper', root, { extensions: swapped(basicConstraints('ca', 0)) })
  const lower = authority('lower', upper)
  return { certificates: [akCertificate(ak.publicKey, lower), lower.der, upper.der] }
}
const deep = (): Given => {
  const all = [root]
  for (let at = 1; at < 6; at += 1) all.unshift(authority(`level ${at}`, all[0]))
  const [lowest = root] = all
  return { certificates: [akCertificate(ak.publicKey, lowest), ...all.map(({ der }) => der)] }
}

describe('a chain that leads nowhere says why', () => {
  it.each<[line: string, given: () => Given]>([
    ['TPM-19 fail no certificate of CN=root is at hand or configured', () => ({ roots: [] })],
    [
      'TPM-19 fail no certificate of CN=intermediate is at hand or configured',
      () => ({ certificates: [akCertificate(ak.publicKey, intermediate)] }),
    ],
    ['TPM-19 fail no anchor within 6 certificates', deep],
    ['TPM-19 fail CN=upper: stands above too many authorities', limited],
    [`${OF_INTERMEDIATE} is not a certificate authority`, () => changed({ extensions: swapped(basicConstraints('end-entity')) })],
    [`${OF_INTERMEDIATE} may not sign certificates`, () => changed({ extensions: swapped(keyUsage(USE.crlSign)) })],
    [`${OF_INTERMEDIATE} may not sign certificates`, () => changed({ extensions: without('2.5.29.15') })],
    [
      `${OF_INTERMEDIATE} is an authority for other things than TPMs`,
      () => changed({ extensions: (all) => [...all, purposes('1.3.6.1.5.5.7.3.1')] }),
    ],
    [`${OF_INTERMEDIATE} has extension 1.2.3.4, which is not understood`, () => changed({ extensions: (all) => [...all, UNKNOWN] })],
    [
      `${OF_INTERMEDIATE} has extension 2.5.29.30, which is not understood`,
      () => changed({ extensions: (all) => [...all, { oid: '2.5.29.30', critical: false, value: tlv(0x30) }] }),
    ],
    [`${OF_INTERMEDIATE} has an extension twice`, () => changed({ extensions: (all) => [...all, basicConstraints('ca')] })],
    [`${OF_INTERMEDIATE} has a key that is weak, or none`, () => changed({ keys: ecKeys('secp256k1') })],
    [`${OF_INTERMEDIATE} is one of the simulator`, () => changed({ extensions: (all) => [...all, markerExtension] })],
    ['TPM-19 fail the certificate is one of the simulator', () => ({ leaf: { extensions: (all) => [...all, markerExtension] } })],
    [
      'TPM-19 fail the certificate has extension 1.2.3.4, which is not understood',
      () => ({ leaf: { extensions: (all) => [...all, UNKNOWN] } }),
    ],
    [
      'TPM-19 fail the certificate has an extension twice',
      () => ({ leaf: { extensions: (all) => [...all, keyUsage(USE.digitalSignature)] } }),
    ],
    [
      'TPM-19 fail the certificate has a critical subjectAltName that is not a directory name alone',
      () => ({
        leaf: { extensions: (all) => [...all, { oid: '2.5.29.17', critical: true, value: tlv(0x30, tlv(0x82, Buffer.from('a.b'))) }] },
      }),
    ],
    ['TPM-19 fail the certificate has a key that is weak, or none', () => ({ leaf: { publicKey: keyedBy('rsa', 1024).publicKey } })],
    ['TPM-19 fail ak_certificates[0] is neither DER nor one PEM block', () => ({ certificates: [Uint8Array.of(1, 2, 3)] })],
  ])('%s', (line, given) => expect(failures(given())).toEqual([line]))

  it.each([
    ['030403800000', 'KeyUsage', 'is not one or two bytes of named bits'],
    ['030100', 'KeyUsage', 'is not one or two bytes of named bits'],
    ['03020980', 'KeyUsage', 'is not one or two bytes of named bits'],
  ])('of a keyUsage %s', (hex, field, why) => {
    const usage = { ...keyUsage(0), value: new Uint8Array(Buffer.from(hex, 'hex')) }
    const [line] = failures({ leaf: { extensions: swapped(usage) } })
    expect(line).toMatch(new RegExp(`^TPM-19 fail the certificate cannot be read: certificate.${field} @\\d+: ${why}$`))
  })

  it('of a signature that is not the issuer’s', () => {
    const stranger = authority('intermediate', authority('root'))
    expect(failures(under(stranger))[0]).toMatch(/^TPM-19 fail CN=root: what is below /)
  })
})

describe('a certificate that leads to an anchor and is refused says why', () => {
  const other = ecKeys()
  it.each<[line: string, given: () => Given]>([
    [`TPM-20 fail CN=ak ${WINDOW}; CN=intermediate ${WINDOW}; CN=root ${WINDOW}; now ${years(6).toISOString()}`, () => ({ now: years(6) })],
    [`TPM-21 fail certificate ${digestOf(spkiOf(other.publicKey))}, public area ${KEY}`, () => ({ leaf: { publicKey: other.publicKey } })],
    ['TPM-22 fail the key is for: 1.3.6.1.5.5.7.3.1', () => ({ leaf: { extensions: swapped(purposes('1.3.6.1.5.5.7.3.1')) } })],
    [
      'TPM-22 fail the key is for: 1.3.6.1.5.5.7.3.1, 2.23.133.8.1',
      () => ({ leaf: { extensions: swapped(purposes('1.3.6.1.5.5.7.3.1', '2.23.133.8.1')) } }),
    ],
    ['TPM-22 fail the key is for: ', () => ({ leaf: { extensions: without('2.5.29.37') } })],
    ['TPM-22 fail the key may not sign', () => ({ leaf: { extensions: swapped(keyUsage(USE.keyEncipherment)) } })],
    ['TPM-22 fail the certificate is an authority’s', () => ({ leaf: { extensions: swapped(basicConstraints('ca')) } })],
    ['TPM-31 fail the attestation key', () => ({ rigour: { deniedAks: [name] } })],
    [
      'TPM-31 fail keys are denied by name, and nothing proves the name of this one',
      () => ({ rigour: { deniedAks: [`000b${'cd'.repeat(32)}`] } }),
    ],
  ])('%s', (line, given) => expect(failures(given())).toEqual([line]))
})

describe('evidence of a model that the policy does not accept', () => {
  it.each<[string, Given]>([
    ['the evidence carries ak-cert, the policy accepts ek-activation', { rigour: { akTrust: ['ek-activation'] } }],
    [
      'the evidence carries enrolled-ak, the policy accepts ak-cert, ek-activation',
      { certificates: [], rigour: { akTrust: ['ak-cert', 'ek-activation'] } },
    ],
    ['the evidence carries ak-cert, the policy accepts nothing', { rigour: { akTrust: [] } }],
  ])('says so: %s', (why, given) => expect(told(given)).toEqual([`TPM-18 fail ${why}`]))
})
