import { describe, expect, it } from 'vitest'
import { reportBytes } from '../../test/snp-report-bytes.ts'
import { anchorsOf } from './anchors.ts'
import { AttestationError } from './problems.ts'
import { verify } from './registry.ts'
import { unwrapTsm } from './tsm.ts'
import type { TsmEvidence } from './verifier.ts'

const outblob = reportBytes()
const sevGuest: TsmEvidence = { type: 'tsm', provider: 'sev_guest', outblob }

/** The error that unwrapping ends with. */
function refusalOf(evidence: TsmEvidence): AttestationError | undefined {
  try {
    unwrapTsm(evidence)
    return undefined
  } catch (error) {
    if (error instanceof AttestationError) return error
    throw error
  }
}

describe('unwrapTsm', () => {
  it('takes outblob as the report and auxblob as the certificate table', () => {
    const auxblob = new Uint8Array(24)
    expect(unwrapTsm({ ...sevGuest, auxblob })).toEqual({
      type: 'snp',
      form: 'report',
      bytes: outblob,
      certTable: auxblob,
      certificates: [],
    })
  })

  it('takes empty files as absent, which is how the kernel shows them', () => {
    const empty = new Uint8Array(0)
    expect(unwrapTsm({ ...sevGuest, auxblob: empty, manifestblob: empty })).toEqual({
      type: 'snp',
      form: 'report',
      bytes: outblob,
      certificates: [],
    })
  })

  it('takes outblob of tdx_guest as the quote', () => {
    const empty = new Uint8Array(0)
    const quote = { type: 'tdx', quote: outblob, certificates: [] }
    expect(unwrapTsm({ ...sevGuest, provider: 'tdx_guest' })).toEqual(quote)
    expect(unwrapTsm({ ...sevGuest, provider: 'tdx_guest', auxblob: empty, manifestblob: empty })).toEqual(quote)
  })

  it.each(['auxblob', 'manifestblob'])('refuses %s of tdx_guest, which has none', (at) => {
    const evidence = { ...sevGuest, provider: 'tdx_guest', [at]: new Uint8Array(1) } as const
    expect(refusalOf(evidence)).toMatchObject({ code: 'evidence-type-unsupported', at })
  })

  it('refuses SVSM manifests by name', () => {
    expect(refusalOf({ ...sevGuest, manifestblob: new Uint8Array(1) })).toMatchObject({
      code: 'evidence-type-unsupported',
      at: 'manifestblob',
    })
  })
})

describe('verify', () => {
  const anchors = anchorsOf([])

  it('reads each type with its own verifier', async () => {
    const asTsm = await verify(sevGuest, anchors)
    const asSnp = await verify({ type: 'snp', form: 'report', bytes: outblob, certificates: [] }, anchors)
    expect(asTsm.needs).toHaveLength(3)
    expect(asTsm.needs).toEqual(asSnp.needs)
  })

  it('rejects, rather than throws, for bytes that make no sense', async () => {
    await expect(verify({ ...sevGuest, outblob: new Uint8Array(3) }, anchors)).rejects.toMatchObject({ code: 'snp-report-size' })
    await expect(verify({ ...sevGuest, provider: 'tdx_guest' }, anchors)).rejects.toMatchObject({
      code: 'tdx-attestation-key-type-unsupported',
    })
  })
})
