import { execFile } from 'node:child_process'
import { X509Certificate, hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { loadConfig } from '../src/config.ts'
import { PROBLEMS } from '../src/verifiers/problems.ts'
import { startSwtpm, swtpmPresent, type Swtpm } from './swtpm.ts'

const run = promisify(execFile)
const page = readFileSync(new URL('../docs/tpm.md', import.meta.url), 'utf8')
const blocks = (language: string): readonly string[] =>
  [...page.matchAll(new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``, 'g'))].map(([, text = '']) => text)
const policies = blocks('yaml').filter((text) => text.startsWith('name: '))
const settings = blocks('yaml').filter((text) => text.startsWith('# assay.yaml'))

describe('docs/tpm.md', () => {
  it('has policies and settings', () => expect([policies.length, settings.length, blocks('yaml').length]).toEqual([2, 1, 3]))

  it.each(policies)('has a policy that can be read: %s', (text) => {
    const { document } = readPolicy(text, 'docs/tpm.md')
    expect(document.evidence).toEqual(['tpm'])
  })

  it.each(settings)('has settings that can be read: %s', (text) => {
    const { config } = loadConfig({ environment: { ASSAY_CONFIG: 'assay.yaml' }, readText: () => text })
    expect(config.tpm).toMatchObject({ trust: { bundles: ['infineon'] }, enrolment: { others: 'refuse', softwareTpm: 'refuse' } })
    expect(config.tpm.enrolment?.listed).toHaveLength(1)
  })

  it('names no code that is none', () => {
    const named = [...page.matchAll(/`((?:tpm|enrolment)-[a-z-]+[a-z])`/g)].map(([, code = '']) => code)
    expect(named.length).toBeGreaterThan(20)
    expect(named.filter((code) => !Object.hasOwn(PROBLEMS, code))).toEqual([])
  })
})

describe.skipIf(!swtpmPresent())('the digest of an endorsement key as docs/tpm.md has it', () => {
  let tpm: Swtpm
  beforeAll(async () => {
    tpm = await startSwtpm()
  }, 60_000)
  afterAll(() => tpm.close())

  it.each<['rsa' | 'p384', string]>([
    ['rsa', '0x81010001'],
    ['p384', '0x81010016'],
  ])('is that of its certificate (%s)', async (ek, handle) => {
    const [, recipe = ''] = blocks('sh')
    const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${tpm.path('sock')}`, EK: handle }
    const { stdout } = await run('dash', ['-euc', recipe], { env, cwd: tpm.path('.') })
    const { publicKey } = new X509Certificate(await tpm.ekCertificate(ek))
    expect(stdout.trim()).toBe(hash('sha256', publicKey.export({ type: 'spki', format: 'der' })))
  })
})
