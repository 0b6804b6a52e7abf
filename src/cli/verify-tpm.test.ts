import { afterAll, describe, expect, it } from 'vitest'
import { assay, tempFiles } from '../../test/cli.ts'
import { vectorBytes, vectorJson, vectorPath, vectorsPresent } from '../../test/vectors.ts'

const files = tempFiles()
afterAll(() => files.remove())
const GCE = 'tpm/gce-cos-85-nonce9009'
const base64 = (name: string): string => Buffer.from(vectorBytes(`${GCE}/${name}`)).toString('base64')

const evidence = () =>
  files.write('gce.json', {
    type: 'tpm',
    quotes: [
      {
        quote: base64('quote-sha256.attest.bin'),
        signature: base64('quote-sha256.sig.bin'),
        pcrs: vectorJson(`${GCE}/quote-sha256.pcrs.json`),
      },
    ],
    ak_public: base64('ak.tpmt_public.bin'),
    ak_certificates: [base64('ak.cert.der'), base64('ca-tpm_ek_intermediate_2.crt')],
  })
const verify = async (...flags: readonly string[]) => {
  const { code, out } = await assay(['verify', evidence(), '--offline', '--json', '--at', '2026-11-01T00:00:00Z', ...flags])
  return { exit: code, verdict: JSON.parse(out) as { code: string | null; mode: string; evidence: { claims?: object }[] } }
}

describe.skipIf(!vectorsPresent())('a genuine TPM of Google at the command line', () => {
  it('is trusted under its root, with the instance that Google names', async () => {
    const { exit, verdict } = await verify('--trust-anchor', vectorPath(`${GCE}/ca-tpm_ek_root_1.cer`))
    expect(exit).toBe(0)
    expect(verdict).toMatchObject({
      code: null,
      mode: 'production',
      evidence: [{ claims: { tpm: { ak_trust: 'ak-cert', gce: { zone: 'us-central1-a' } } } }],
    })
  })
  it('is trusted by nobody otherwise', async () => {
    expect(await verify()).toMatchObject({ exit: 1, verdict: { code: 'tpm-ak-cert-chain-invalid' } })
    const other = vectorPath(`${GCE}/ca-gcp_ek_ak_ca_root.crt`)
    expect(await verify('--trust-anchor', other)).toMatchObject({ exit: 1, verdict: { code: 'tpm-ak-cert-chain-invalid' } })
  })
})
