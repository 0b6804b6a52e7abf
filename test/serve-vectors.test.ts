import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tempFiles, type Files } from './cli.ts'
import { policyTextFromShorthand } from './policy-shorthand.ts'
import { snpCases, type SnpCase } from './snp-cases.ts'
import { vectorsPresent } from './vectors.ts'

const LAUNCHER = resolve(import.meta.dirname, '../bin/assay.mjs')

const cases = vectorsPresent() ? snpCases() : []
const named = (name: string): SnpCase | undefined => cases.find((vector) => vector.name === name)

let files: Files
const children: ChildProcess[] = []
beforeAll(() => {
  files = tempFiles()
})
afterAll(async () => {
  for (const child of children) {
    if (child.exitCode !== null) continue
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  files.remove()
})

/** A service whose time stands still at the vector's, under the vector's root, list and policy. */
async function serve(vector: SnpCase): Promise<string> {
  files.write(`${vector.name}/policies/vector.json`, policyTextFromShorthand(vector.policy))
  const config = files.write(`${vector.name}/assay.json`, {
    mode: 'test',
    listen: '127.0.0.1:0',
    data_dir: files.path(`${vector.name}/data`),
    policy_dir: files.path(`${vector.name}/policies`),
    audiences: { default: { policies: ['vector'], relying_party_nonce: 'allow' } },
    lift: ['debug-guests', 'collateral-grace', 'unchecked-revocation'],
  })
  const bundle = files.write(`${vector.name}/bundle.json`, vector.bundle)
  const flags = ['--clock', vector.at, '--insecure-test-root', vector.testRoot ?? '', '--collateral', bundle]
  const child = spawn(process.execPath, [LAUNCHER, 'serve', ...flags], {
    env: { PATH: process.env['PATH'], ASSAY_CONFIG: config },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  children.push(child)
  for await (const line of createInterface({ input: child.stderr })) {
    const url = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error('the service ended')
}

async function post(url: string, { evidence, decoded }: SnpCase): Promise<{ status: number; body: Record<string, unknown> }> {
  const nonce = Buffer.from(String(decoded?.['report_data']), 'hex').toString('base64')
  const response = await fetch(`${url}/v1/appraisals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ evidence: [evidence], relying_party_nonce: nonce, binding: 'nonce' }),
  })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe.skipIf(cases.length === 0)('assay serve in mode test', () => {
  it('takes fixed vectors under a stopped clock and another root', async () => {
    const vector = named('ok-milan-v3')
    if (vector === undefined) throw new Error('the vector is gone')
    const { status, body } = await post(await serve(vector), vector)
    expect({ status, body }).toMatchObject({ status: 201, body: { appraisal: { mode: 'test', freshness: 'relying-party' } } })
  })

  it.each([
    ['crl-expired', 503, 'snp-crl-expired'],
    ['crl-revoked-ask', 422, 'snp-intermediate-revoked'],
  ])('refuses %s by what is wrong with the given list', async (name, status, code) => {
    const vector = named(name)
    if (vector === undefined) throw new Error('the vector is gone')
    expect(await post(await serve(vector), vector)).toMatchObject({ status, body: { code } })
  })
})
