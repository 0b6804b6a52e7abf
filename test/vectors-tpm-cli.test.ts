import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TpmClaims } from '../src/verifiers/tpm/claims.ts'
import { assay, assayProcess, tempFiles, type Files, type Ran } from './cli.ts'
import { nameOfCase, TPM_CASES, tpmCase, tpmItemOf } from './tpm-cases.ts'
import { vectorPath, vectorsPresent } from './vectors.ts'

type Answer = {
  readonly accepted: boolean
  readonly code: string | null
  readonly mode: string
  readonly question: string
  readonly nonce: string
  readonly evidence: readonly [{ readonly claims: { readonly tpm?: TpmClaims } }]
}

const names = vectorsPresent() ? TPM_CASES : []
/** A nonce on the command line has 8 bytes or more. */
const nonced = names.filter((name) => tpmCase(name).extraData.length >= 8)

let files: Files
beforeAll(() => {
  files = tempFiles()
})
afterAll(() => files.remove())

/** Evidence of a vector without its certificates: the policy knows the key by name. */
const evidenceOf = (name: string) => ({ ...tpmCase(name).evidence, akCertificates: [] })

const policyOf = (name: string, tpm: object = {}): string =>
  files.write(
    `${name}-policy.yaml`,
    JSON.stringify({
      name: 'vectors',
      key_binding: 'DANGEROUSLY_OPTIONAL',
      relying_party_nonce: 'allow',
      evidence: ['tpm'],
      tpm: { ak_trust: ['enrolled-ak'], enrolled_aks: [nameOfCase(tpmCase(name).evidence)], unnamed_boot: 'DANGEROUSLY_ALLOW', ...tpm },
    }),
  )

const argsFor = (name: string, ...more: readonly string[]): string[] => [
  'verify',
  files.write(`${name}.json`, tpmItemOf(evidenceOf(name))),
  '--offline',
  '--json',
  '--at',
  '2026-11-24T12:00:00Z',
  ...more,
]

const answerOf = ({ out }: Ran): Answer => JSON.parse(out) as Answer
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const boundTo = (nonce: Uint8Array): readonly string[] => ['--nonce', hex(nonce), '--binding', 'nonce']

/** Evidence that its manifest says is refused, once its key is trusted. */
const REFUSED: Readonly<Record<string, string>> = {
  'gce-cos-85-nonce9009 sha1': 'tpm-pcr-bank-weak',
  'swtpm-quotes-with-eventlog sha1bank': 'tpm-pcr-bank-weak',
}

describe.skipIf(names.length === 0)('vectors/tpm by the command line', () => {
  it.each(names)('%s', async (name) => {
    const ran = await assay(argsFor(name, '--policy', policyOf(name)))
    const code = REFUSED[name] ?? null
    expect([ran.code, answerOf(ran)]).toEqual([
      code === null ? 0 : 1,
      expect.objectContaining({ accepted: code === null, code, mode: 'production', question: 'acceptable', nonce: 'not-asked' }),
    ])
  })

  it.each(names)('%s is trusted by nobody without a policy', async (name) => {
    const ran = await assay(argsFor(name))
    expect([ran.code, answerOf(ran).code]).toEqual([1, 'tpm-ak-untrusted'])
  })

  it.each(nonced)('%s with the nonce that it holds, and with another', async (name) => {
    const { extraData } = tpmCase(name)
    const right = answerOf(await assay(argsFor(name, '--policy', policyOf(name), ...boundTo(extraData))))
    expect([right.code, right.nonce]).toEqual([REFUSED[name] ?? null, 'checked'])
    const wrong = await assay(argsFor(name, '--policy', policyOf(name), ...boundTo(extraData.with(-1 + extraData.length, 0xee))))
    expect([wrong.code, answerOf(wrong).code]).toEqual([1, 'tpm-nonce-mismatch'])
  })

  it('all quotes of a host of Google’s cloud under the root that it names, and no other', async () => {
    const folder = 'gce-cos-85-nonce9009'
    const file = files.write('gce.json', tpmItemOf(tpmCase(folder).evidence))
    const under = async (root: string) =>
      assay(['verify', file, '--offline', '--json', '--at', '2026-11-24T12:00:00Z', '--trust-anchor', vectorPath(`tpm/${folder}/${root}`)])
    const ran = await under('ca-tpm_ek_root_1.cer')
    const [{ claims }] = answerOf(ran).evidence
    expect([ran.code, answerOf(ran).code]).toEqual([0, null])
    expect(claims.tpm).toMatchObject({
      bank: 'sha384',
      ak_trust: 'ak-cert',
      gce: { instance_name: 'cos-test', project_number: '117478743145' },
    })
    const other = await under('ca-gcp_ek_ak_ca_root.crt')
    expect([other.code, answerOf(other).code]).toEqual([1, 'tpm-ak-cert-chain-invalid'])
  })

  it('the host that needs Secure Boot, and the one without a list that is asked for', async () => {
    const logged = 'swtpm-quotes-with-eventlog ecc256'
    const { evidence } = tpmCase(logged)
    const secure = await assay(
      argsFor(logged, '--policy', policyOf(logged, { secure_boot: { enabled: 'require' }, event_log: { required: 'require' } })),
    )
    expect([evidence.eventLog === undefined, answerOf(secure).code]).toEqual([false, null])
    const uki = await assay(argsFor('swtpm-uki-pcr11', '--policy', policyOf('swtpm-uki-pcr11', { event_log: { required: 'require' } })))
    expect([uki.code, answerOf(uki).code]).toEqual([1, 'tpm-eventlog-missing'])
  })

  it('runs in a process of its own', () => {
    const name = 'swtpm-cel-pcr13'
    const ran = assayProcess(argsFor(name, '--policy', policyOf(name)))
    expect([ran.code, answerOf(ran).accepted]).toEqual([0, true])
  })
})
