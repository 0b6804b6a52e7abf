import { beforeAll, describe, expect, it } from 'vitest'
import { certificationData, pemChain } from '../src/simulator/certification.ts'
import { basicConstraints } from '../src/simulator/der.ts'
import { p256Keys } from '../src/simulator/intel-authorities.ts'
import type { QuoteChanges } from '../src/simulator/intel-hosts.ts'
import { fakeIntel } from '../src/simulator/intel.ts'
import { flipped } from './snp-lab.ts'
import { tdxLab, type TdxExhibit, type TdxLab } from './tdx-lab.ts'

// Specification tdx.md section 11, the rows about the quote and its chain. Signatures are genuine unless the row is about them.

let lab: TdxLab
beforeAll(() => {
  lab = tdxLab()
})

type Row = readonly [change: string, code: string, make: () => TdxExhibit]

/** Offsets in a quote of version 4 with TD report 1.0 and the 32 bytes of authentication data that Intel's quoting enclave has. */
const AT = {
  userData: 28,
  mrTd: 184,
  reportData: 568,
  authLength: 632,
  signature: 636,
  outerSize: 766,
  qeReport: 770,
  qeAuth: 1220,
  innerSize: 1254,
}

const made = (changes: QuoteChanges): TdxExhibit => ({ quote: lab.quote(changes) })
const made15 = (changes: QuoteChanges): TdxExhibit => ({ quote: lab.quote(changes, lab.td15) })
const lengthAt = (at: number): number => Buffer.from(lab.quote()).readUInt32LE(at)
const flip = (at: number, bits?: number): TdxExhibit => ({ quote: flipped(lab.quote(), at, bits) })
const chained = (chain: readonly Uint8Array[]): TdxExhibit => made({ certification: { type: 5, data: pemChain(chain) } })
const years = (count: number): Date => new Date(lab.now.getTime() + count * 365.25 * 86_400_000)

/** A version 5 quote whose descriptor says something else than its body is; the signature is made over what it says. */
const described = (bodyType: number, bodySize: number): TdxExhibit => made15({ bodyType, bodySize })

const STRUCTURE: readonly Row[] = [
  ['1: nothing', 'tdx-quote-too-short', () => ({ quote: new Uint8Array() })],
  ['2: the first 1019 bytes', 'tdx-quote-too-short', () => ({ quote: lab.quote().subarray(0, 1019) })],
  ['4: version 2', 'tdx-quote-version-unsupported', () => made({ version: 2 })],
  ['4: version 6', 'tdx-quote-version-unsupported', () => made({ version: 6 })],
  ['4: version 0xffff', 'tdx-quote-version-unsupported', () => made({ version: 0xffff })],
  ['5: key type 3', 'tdx-attestation-key-type-unsupported', () => made({ attestationKeyType: 3 })],
  ['6: TEE type 0x82', 'tdx-tee-type-unsupported', () => made({ teeType: 0x82 })],
  ['7: version 3 with TEE type 0x81', 'tdx-tee-type-mismatch', () => ({ tee: 'sgx', quote: lab.quote({ teeType: 0x81 }, lab.enclave) })],
  ['7: an SGX quote sent as tdx', 'tdx-tee-type-mismatch', () => ({ quote: lab.quote({}, lab.enclave) })],
  ['7: a TDX quote sent as sgx', 'tdx-tee-type-mismatch', () => ({ tee: 'sgx', quote: lab.quote() })],
  ['8: vendor id', 'tdx-qe-vendor-id-unknown', () => flip(12)],
  ['9: body type 0', 'tdx-body-type-unsupported', () => made15({ bodyType: 0 })],
  ['9: body type 9', 'tdx-body-type-unsupported', () => made15({ bodyType: 9 })],
  ['10: type 3 with size 584', 'tdx-body-size-mismatch', () => made15({ bodySize: 584 })],
  ['11: type 1 with TEE type 0x81', 'tdx-body-type-tee-mismatch', () => described(1, 384)],
  ['12: authDataLen + 1', 'tdx-auth-data-truncated', () => made({ authDataLength: lengthAt(AT.authLength) + 1 })],
  ['12: authDataLen 0xffffffff', 'tdx-auth-data-truncated', () => made({ authDataLength: 0xffffffff })],
  ['13: authDataLen - 1', 'tdx-certification-data-size-mismatch', () => made({ authDataLength: lengthAt(AT.authLength) - 1 })],
  ['14: outer type 5', 'tdx-certification-data-type-unsupported', () => made({ outerType: 5 })],
  ['15: outer size - 1', 'tdx-certification-data-size-mismatch', () => made({ outerSize: lengthAt(AT.outerSize) - 1 })],
  ['16: qeAuthLen 0xffff', 'tdx-qe-auth-data-truncated', () => made({ qeAuthLength: 0xffff })],
  ['17: inner size + 1', 'tdx-qe-certification-data-size-mismatch', () => made({ innerSize: lengthAt(AT.innerSize) + 1 })],
  ['18: inner type 7', 'tdx-pck-certification-type-unsupported', () => made({ innerType: 7 })],
  ['18: inner type 0', 'tdx-pck-certification-type-unsupported', () => made({ innerType: 0 })],
  ['18: inner type 3 without a chain', 'tdx-pck-certification-type-unsupported', () => made({ certification: 3 })],
  ['19: four bytes behind it', 'tdx-quote-trailing-data', () => made({ trailing: Uint8Array.of(0, 0, 0, 1) })],
  ['19: 17 KiB of zeros behind it', 'tdx-quote-trailing-data', () => made({ trailing: new Uint8Array(17 * 1024) })],
]

const PROOF: readonly Row[] = [
  ['21: MRTD', 'tdx-quote-invalid-signature', () => flip(AT.mrTd)],
  ['22: REPORTDATA', 'tdx-quote-invalid-signature', () => flip(AT.reportData)],
  ['23: user data of the header', 'tdx-quote-invalid-signature', () => flip(AT.userData)],
  ['25: r of the quote’s signature', 'tdx-quote-invalid-signature', () => flip(AT.signature)],
  ['26: signature all zero', 'tdx-quote-invalid-signature', () => made({ quoteSignature: new Uint8Array(64) })],
  [
    '27: another attestation key, quote signed with it',
    'tdx-qe-report-data-mismatch',
    () => made({ ...ownQe(), qe: { keys: p256Keys() } }),
  ],
  ['28: attestation key off the curve', 'tdx-attestation-key-invalid', () => made({ attestationKey: new Uint8Array(64).fill(1) })],
  ['29: a byte of qeAuth', 'tdx-qe-report-data-mismatch', () => flip(AT.qeAuth)],
  ['30: a byte of the QE report', 'tdx-qe-report-invalid-signature', () => flip(AT.qeReport)],
  ['31: signature of the QE report zeroed', 'tdx-qe-report-invalid-signature', () => made({ qeReportSignature: new Uint8Array(64) })],
  [
    '32: chain of another platform',
    'tdx-qe-report-invalid-signature',
    () => made({ certification: certificationData(5, lab.intel.pck()) }),
  ],
]

/** The report of the host's own quoting enclave. */
const ownQe = () => ({ qeReport: lab.td.qe.report, qeReportSignature: lab.td.qe.reportSignature })

const CHAIN: readonly Row[] = [
  ['33: chain reversed', 'tdx-pck-chain-incomplete', () => chained([...lab.td.pck.chain].toReversed())],
  ['34: root missing', 'tdx-pck-chain-incomplete', () => chained(lab.td.pck.chain.slice(0, 2))],
  ['35: another root of the same name', 'tdx-root-ca-untrusted', () => chained([...lab.td.pck.chain.slice(0, 2), foreignRoot()])],
  ['35: another Intel altogether', 'tdx-root-ca-untrusted', () => ({ quote: foreign().quote() })],
  ['36: intermediate with CA:FALSE', 'tdx-certificate-constraints-violated', () => underCa([basicConstraints('end-entity')])],
  ['37: four certificates', 'tdx-pck-chain-incomplete', () => chained([lab.td.pck.der, ...lab.td.pck.chain])],
  ['37: the leaf in the CA’s place', 'tdx-pck-chain-incomplete', () => chained([lab.intel.pck().der, lab.td.pck.der, root()])],
  ['37: a leaf under a leaf that calls itself the CA', 'tdx-certificate-constraints-violated', () => underLeaf()],
  ['38: after the leaf’s end', 'tdx-certificate-expired', () => ({ quote: lab.quote(), at: years(7.01) })],
  [
    '39: before the leaf’s beginning',
    'tdx-certificate-not-yet-valid',
    () => ({ quote: lab.quote(), at: new Date(lab.now.getTime() - 2 * 86_400_000) }),
  ],
]

const root = () => lab.intel.authority('root').der
const foreign = () => tdxLab(lab.now)
const foreignRoot = () => fakeIntel({ now: lab.now }).authority('root').der

/** A PCK CA that has these constraints in place of its own, the key and all else as they are. */
function underCa(constraints: readonly ReturnType<typeof basicConstraints>[]): TdxExhibit {
  const oids = constraints.map(({ oid }) => oid)
  const ca = lab.intel.reissue('platform', { extensions: (all) => [...all.filter(({ oid }) => !oids.includes(oid)), ...constraints] })
  return chained([lab.td.pck.der, ca.der, root()])
}

/** A platform that certifies another one with its own PCK, whose certificate carries the name of the CA and stands under the root. */
function underLeaf(): TdxExhibit {
  const commonName = lab.intel.authority('platform').commonName
  const { commonName: issuer, privateKey } = lab.intel.authority('root')
  const posing = lab.intel.pck({ overrides: { commonName, signedBy: { commonName: issuer, privateKey } } })
  const forged = lab.intel.pck({ overrides: { signedBy: { commonName, privateKey: posing.privateKey } } })
  return chained([forged.der, posing.der, root()])
}

describe.each([
  ['structure', STRUCTURE],
  ['proof', PROOF],
  ['chain', CHAIN],
])('negative matrix of TDX: %s', (_, rows) => {
  it.each(rows)('%s → %s', async (_change, code, make) => {
    expect((await lab.judge(make())).code).toBe(code)
  })
})

describe('negative matrix of TDX: what is accepted', () => {
  const accepted: readonly (readonly [string, () => TdxExhibit])[] = [
    ['20: 8000 bytes, padded with zeros', () => made({ trailing: new Uint8Array(8000 - lab.quote().length) })],
    ['20: 16 KiB of zeros behind it', () => made({ trailing: new Uint8Array(16 * 1024) })],
    ['the quote as it is', () => made({})],
    ['a chain without the NUL at its end', () => made({ certification: '5-open' })],
    ['a chain beside a quote that names its PCK only', () => ({ ...made({ certification: 3 }), certificates: lab.td.pck.chain })],
    ['version 5 with TD report 1.5', () => made15({})],
    ['an enclave', () => ({ tee: 'sgx', quote: lab.quote({}, lab.enclave) })],
  ]

  it.each(accepted)('%s', async (_, make) => {
    expect((await lab.judge(make())).code).toBe('accepted')
  })
})

const truncations = (quote: Uint8Array) => Array.from(quote, (_, length) => quote.subarray(0, length))

describe('negative matrix of TDX: rows of many', () => {
  const rows = [
    ['3: every truncation', () => truncations(lab.quote())],
    ['24: descriptor 2/584', () => [described(2, 584).quote]],
    ['24: descriptor 4/885', () => [described(4, 885).quote]],
    ['24: descriptor 1/384', () => [described(1, 384).quote]],
  ] as const

  it.each(rows)('%s is never accepted', async (_, make) => {
    const quotes: readonly Uint8Array[] = make()
    const answers = await Promise.all(quotes.map(async (quote) => (await lab.judge({ quote })).code))
    expect(answers.filter((code) => !/^tdx-(quote|auth|certification|qe|pck|body)-/.test(code))).toEqual([])
    expect(answers).toHaveLength(quotes.length)
  })
})
