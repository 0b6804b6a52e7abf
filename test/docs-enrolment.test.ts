import { execFile } from 'node:child_process'
import { createHash, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApp } from '../src/app.ts'
import { startServer, type RunningServer } from '../src/service/server.ts'
import { enrolmentLab, type EnrolmentLab } from './enrolment-lab.ts'
import { startSwtpm, swtpmPresent, type Swtpm } from './swtpm.ts'
import { anchorFor, anchorsWith } from './tpm-trust-lab.ts'

const run = promisify(execFile)
const page = readFileSync(new URL('../docs/tpm.md', import.meta.url), 'utf8')
const [, recipe = ''] = /```sh\n([\s\S]*?)```/.exec(page) ?? []
const realTime = (): Date => new Date()

describe.skipIf(!swtpmPresent())('the recipe of docs/tpm.md', () => {
  let tpm: Swtpm
  let lab: EnrolmentLab
  let server: RunningServer
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.createAk({ under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsassa' })
    await writeFile(tpm.path('issuer.der'), new X509Certificate(tpm.authority.issuer).raw)
    const { raw } = new X509Certificate(tpm.authority.root)
    const anchor = anchorFor({ sha256: createHash('sha256').update(raw).digest('hex') }, { manufacturers: ['00001014'] })
    const anchors = anchorsWith({ roots: [anchor], pool: [raw] })
    lab = await enrolmentLab({ others: 'DANGEROUSLY_ANY_GENUINE_TPM', softwareTpm: 'allow' }, { anchors, now: realTime })
    const settings = { listen: { host: '127.0.0.1', port: 0 }, issuer: lab.services.issuer }
    server = await startServer(createApp(lab.services), settings)
  }, 60_000)
  afterAll(async () => {
    await server.drain(0)
    await tpm.close()
  })

  const follow = (shell: readonly [string, ...string[]], more: Readonly<Record<string, string>>) => {
    const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${tpm.path('sock')}`, ASSAY: `http://127.0.0.1:${server.port}`, ...more }
    const [program, ...args] = shell
    return run(program, [...args, '-c', recipe], { env, cwd: tpm.path('.') })
  }

  it.each<[string, ...string[]]>([['dash'], ['busybox', 'sh']])(
    'ends in a certificate (%s)',
    async (...shell) => {
      await follow(shell, { CHAIN: tpm.path('issuer.der') })
      const certificate = new X509Certificate(readFileSync(tpm.path('ak.pem')))
      expect(lab.audit.at(-1)).toMatchObject({ action: 'tpm-activation', outcome: 'issued', tpm: { serial: certificate.serialNumber } })
    },
    60_000,
  )

  it('ends with an error where the service refuses', async () => {
    await expect(follow(['dash'], {})).rejects.toMatchObject({ code: 22 })
    expect(lab.audit.at(-1)).toMatchObject({ outcome: 'refused', code: 'tpm-ek-cert-chain-invalid' })
  }, 60_000)
})
