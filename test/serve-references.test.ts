import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tempFiles, type Files } from './cli.ts'
import { policyTextFromShorthand } from './policy-shorthand.ts'
import { digestOf, setText } from './reference-sets.ts'
import { snpCases, type SnpCase } from './snp-cases.ts'
import { vectorsPresent } from './vectors.ts'

const LAUNCHER = resolve(import.meta.dirname, '../bin/assay.mjs')

const vector = vectorsPresent() ? snpCases().find(({ name }) => name === 'ok-milan-v3') : undefined

let files: Files
let child: ChildProcess | undefined
beforeAll(() => {
  files = tempFiles()
})
afterAll(async () => {
  if (child !== undefined) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  files.remove()
})

/** The vector's measurement in a set of a file with this standing, beside another value. */
const writeSet = ({ decoded }: SnpCase, standing: object) => {
  const measurements = [digestOf(1), { value: String(decoded?.['measurement']), label: 'the vector' }]
  files.write('references/nodes.yaml', setText([], { snp: { measurements }, standing }))
}

async function serve({ policy, at, testRoot, bundle }: SnpCase): Promise<string> {
  const document = JSON.parse(policyTextFromShorthand(policy)) as { snp: object }
  files.write('policies/vector.json', { ...document, snp: { ...document.snp, measurements: [{ set: 'nodes' }] } })
  const config = files.write('assay.json', {
    mode: 'test',
    listen: '127.0.0.1:0',
    data_dir: files.path('data'),
    policy_dir: files.path('policies'),
    reference_dir: files.path('references'),
    audiences: { default: { policies: ['vector'], relying_party_nonce: 'allow' } },
    lift: ['debug-guests', 'collateral-grace'],
  })
  const flags = ['--clock', at, '--insecure-test-root', testRoot ?? '', '--collateral', files.write('bundle.json', bundle)]
  child = spawn(process.execPath, [LAUNCHER, 'serve', ...flags], {
    env: { PATH: process.env['PATH'], ASSAY_CONFIG: config },
    stdio: ['ignore', 'inherit', 'pipe'],
  })
  const lines: string[] = []
  for await (const line of createInterface({ input: child.stderr ?? process.stdin })) {
    lines.push(line)
    const url = /"url":"(http:[^"]+)".*"msg":"listening"/.exec(line)?.[1]
    if (url !== undefined) return url
  }
  throw new Error(`the service ended: ${lines.join('\n')}`)
}

async function post(url: string, { evidence, decoded }: SnpCase): Promise<{ status: number; text: string }> {
  const nonce = Buffer.from(String(decoded?.['report_data']), 'hex').toString('base64')
  const response = await fetch(`${url}/v1/appraisals`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ evidence: [evidence], relying_party_nonce: nonce, binding: 'nonce' }),
  })
  return { status: response.status, text: await response.text() }
}

describe.skipIf(vector === undefined)('assay serve with a folder of reference values', () => {
  it('accepts what an active set holds, and refuses it seconds after the set is revoked', async () => {
    if (vector === undefined) throw new Error('the vector is gone')
    writeSet(vector, { state: 'active' })
    const url = await serve(vector)
    expect(await post(url, vector)).toMatchObject({ status: 201 })
    writeSet(vector, { state: 'revoked', reason: 'leaked build' })
    await expect.poll(async () => (await post(url, vector)).status, { timeout: 10_000, interval: 200 }).toBe(403)
    const { text } = await post(url, vector)
    expect(text).toContain('snp-measurement-mismatch')
    expect(text).toContain('values of the set nodes (version 1 revoked: leaked build)')
  }, 30_000)
})
