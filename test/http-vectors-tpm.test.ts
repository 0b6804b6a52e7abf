import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { problem } from '../src/routes/openapi/answers.ts'
import type { Anchors } from '../src/verifiers/verifier.ts'
import { accepted } from './answers.ts'
import { testServices } from './services.ts'
import { overSocket } from './socket.ts'
import { certificatesIn, nameOfCase, TPM_CASES, tpmCase, tpmItemOf } from './tpm-cases.ts'
import { anchorFor, anchorsWith } from './tpm-trust-lab.ts'
import { vectorsPresent } from './vectors.ts'

/** Nonces of relying parties have 8 bytes or more. */
const names = vectorsPresent() ? TPM_CASES.filter((name) => tpmCase(name).extraData.length >= 8) : []
const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

type Asked = {
  readonly name: string
  readonly tpm?: object
  readonly anchors?: Anchors
  readonly certificates?: readonly Uint8Array[]
  readonly nonce?: Uint8Array
}

/** Posts evidence of a vector to a service of mode test whose clock stands still. */
async function post({ name, tpm = {}, anchors = anchorsWith({}), certificates = [], nonce }: Asked) {
  const { evidence, extraData } = tpmCase(name)
  const trust = { ak_trust: ['enrolled-ak'], enrolled_aks: [nameOfCase(evidence)], unnamed_boot: 'DANGEROUSLY_ALLOW' }
  const policy = {
    name: 'vectors',
    key_binding: 'DANGEROUSLY_OPTIONAL',
    relying_party_nonce: 'allow',
    evidence: ['tpm'],
    tpm: { ...trust, ...tpm },
  }
  const audience = { name: 'vectors', policies: ['vectors'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'allow' } as const
  const made = await testServices({ anchors, now: () => new Date('2026-11-24T12:00:00Z'), policies: [policy], audiences: [audience] })
  const item = tpmItemOf({ ...evidence, akCertificates: certificates })
  const request = { evidence: [item], relying_party_nonce: base64(nonce ?? extraData), binding: 'nonce', audience: audience.name }
  const body = JSON.stringify(request)
  const response = await overSocket(createApp(made.services), '/v1/appraisals', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  })
  await made.stop()
  return { status: response.status, body: await response.json() }
}

const codeOf = ({ status, body }: Awaited<ReturnType<typeof post>>): string => (status === 201 ? 'accepted' : problem.parse(body).code)

describe.skipIf(names.length === 0)('vectors/tpm over HTTP', () => {
  it.each(names)('%s', async (name) => {
    const answer = await post({ name })
    const expected = name.endsWith('sha1bank') ? 'tpm-pcr-bank-weak' : 'accepted'
    expect(codeOf(answer)).toBe(expected)
    if (expected !== 'accepted') return
    expect(accepted(answer).appraisal).toMatchObject({ status: 'affirming', mode: 'test', freshness: 'relying-party' })
  })

  it.each(names)('%s is refused for another nonce', async (name) => {
    expect(codeOf(await post({ name, nonce: new Uint8Array(32) }))).toBe('tpm-nonce-mismatch')
  })

  it('azure-trusted-launch-2026 with the certificate of another key, under Microsoft’s root', async () => {
    const folder = 'tpm/azure-trusted-launch-2026'
    const chain = certificatesIn(`${folder}/azure-ca-chain.pem`)
    const roots = chain.map((der) => anchorFor({ sha256: createHash('sha256').update(der).digest('hex') }, { authority: 'azure' }))
    const certificates = [...certificatesIn(`${folder}/platform-ak.cert.der`), ...chain]
    const answer = await post({
      name: 'azure-trusted-launch-2026',
      tpm: { ak_trust: ['ak-cert'], enrolled_aks: undefined },
      anchors: anchorsWith({ roots }),
      certificates,
    })
    expect(problem.parse(answer.body).checks?.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))).toContain(
      'tpm-ak-cert-key-mismatch',
    )
  })
})
