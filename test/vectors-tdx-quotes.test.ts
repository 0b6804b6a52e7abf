import { describe, expect, it } from 'vitest'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import { enclaveClaims, tdReportClaims } from '../src/verifiers/tdx/claims-of.ts'
import { readEnclaveReport } from '../src/verifiers/tdx/enclave-report.ts'
import { proveQuote } from '../src/verifiers/tdx/proof.ts'
import { readQuote, type Quote } from '../src/verifiers/tdx/quote.ts'
import type { SgxExtension } from '../src/verifiers/tdx/sgx-extension.ts'
import { tdxCases, type TdxCase } from './tdx-cases.ts'
import { vectorsPresent } from './vectors.ts'

const cases = vectorsPresent() ? tdxCases().map((vector) => [vector.name, vector] as const) : []
/** Quotes whose chain ends in the pinned root, whatever their TCB. */
const trusted = cases.filter(([, { expected }]) => expected.error !== 'root-ca-untrusted')

const quoteOf = ({ evidence }: TdxCase): Quote => readQuote(evidence.quote, { tee: evidence.type, hasChain: false })
const hex = (bytes: Uint8Array | undefined): string | null => (bytes === undefined ? null : Buffer.from(bytes).toString('hex'))

/** A field as the manifest writes it. */
function shown([name, value]: readonly [string, unknown]): readonly [string, unknown] {
  if (name === 'misc_select') return [name, Buffer.from(String(value), 'hex').readUInt32LE()]
  return [name, typeof value === 'object' && value !== null && 'value' in value ? value.value : value]
}

function fieldsOf({ body }: Quote): Readonly<Record<string, unknown>> {
  const claims = body.tee === 'tdx' ? tdReportClaims(body.version, body.report) : enclaveClaims(body.version, body.report)
  return Object.fromEntries(Object.entries(claims).map(shown))
}

describe.skipIf(cases.length === 0)('every quote of the vectors', () => {
  it.each(cases)('%s has the fields of the manifest, without collateral and whatever its verdict', (_, vector) => {
    const quote = quoteOf(vector)
    expect(fieldsOf(quote)).toMatchObject(vector.fields)
    expect([quote.body.version, quote.body.tee]).toEqual([vector.quoteVersion, vector.teeType])
    const { mrSigner, isvProdId, isvSvn, attributes } = readEnclaveReport(quote.auth.qeReport)
    expect({ mrSigner: hex(mrSigner), isvProdId, isvSvn, attributes: hex(attributes) }).toEqual({
      mrSigner: vector.qeReport.mrSigner,
      isvProdId: vector.qeReport.isvProdId,
      isvSvn: vector.qeReport.isvSvn,
      attributes: vector.qeReport.attributes,
    })
    expect(hex(quote.header.userData)).toBe(vector.headerUserData ?? hex(quote.header.userData))
  })

  it.each(trusted)('%s is proven up to the pinned root, and says what its platform is', (_, vector) => {
    const { facts, chain, quote } = proveQuote(quoteOf(vector), [], { anchors: pinnedAnchors, mode: 'production', memo: undefined })
    expect([...chain, ...quote].map(({ outcome }) => outcome)).toEqual(Array.from({ length: 13 }, () => 'pass'))
    expect(facts === undefined ? undefined : extensionOf(facts.pck.extension)).toMatchObject(pckOf(vector))
  })

  it('of a foreign root stops there', () => {
    const foreign = cases.filter(([, { expected }]) => expected.error === 'root-ca-untrusted').map(([, vector]) => vector)
    const codes = foreign.map((vector) => {
      const { facts, chain } = proveQuote(quoteOf(vector), [], { anchors: pinnedAnchors, mode: 'production', memo: undefined })
      return [facts, chain.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))]
    })
    expect(codes).toEqual([[undefined, ['tdx-root-ca-untrusted']]])
  })
})

/** The SGX extension in the manner of the manifest. */
const extensionOf = ({ fmspc, pceid, pcesvn, cpusvn, components, ppid, platformInstanceId, sgxType, configuration }: SgxExtension) => ({
  fmspc: hex(fmspc),
  pceid: hex(pceid),
  pcesvn,
  cpusvn: hex(cpusvn),
  sgxTcbComponents: components,
  ppid: hex(ppid),
  sgxType,
  platformInstanceId: hex(platformInstanceId),
  configuration: configuration.dynamicPlatform === undefined ? null : configuration,
})

/** What the manifest says of the PCK certificate, apart from its issuer and dates. */
function pckOf({ pck }: TdxCase): object {
  if (pck === undefined) return {}
  const { fmspc, pceid, pcesvn, cpusvn, sgxTcbComponents, ppid, sgxType, platformInstanceId, configuration } = pck
  return { fmspc, pceid, pcesvn, cpusvn, sgxTcbComponents, ppid, sgxType, platformInstanceId, configuration }
}
