import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { decodeJwt } from 'jose'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'assay-readme-'))
/** Where the walk leaves its files. */
const walked = join(folder, 'walk')
const tsm = mkdtempSync(join(tmpdir(), 'assay-readme-tsm-'))

/** The code block behind a marker. */
function block(marker: string): string {
  const code = readme.split(`<!-- ${marker} -->`)[1]?.split('```')[1]
  if (code === undefined) throw new Error(`README has no block ${marker}`)
  return code.replace(/^\w+\n/, '')
}

type Ended = { readonly code: number | null; readonly text: string }

function run(cwd: string, [program, ...args]: readonly [string, ...string[]], env: Record<string, string>): Promise<Ended> {
  const child = spawn(program, args, { cwd, env: { ...process.env, ...env } })
  let text = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()))
  return new Promise((done) => child.once('close', (code) => done({ code, text })))
}

/** `npm run demo -- --keep`, as the README says, and all that it has said. */
const demo = spawn(process.execPath, ['src/cli/assay.ts', 'demo', '--keep', '--tsm', tsm], { cwd: root })
let said = ''
for (const stream of [demo.stdout, demo.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
const ended = new Promise<string>((done) => demo.once('exit', (code, signal) => done(`${code ?? signal ?? 'unknown'}`)))

/** Where the demonstration's service stays, once it says so. */
async function serving(): Promise<string> {
  const url = new Promise<string>((done) =>
    demo.stdout.on('data', () => {
      const found = /The service stays at (http:\/\/\S+?)\.? /.exec(said)?.[1]
      if (found !== undefined) done(found)
    }),
  )
  return await Promise.race([url, ended.then((how) => Promise.reject(new Error(`the demonstration ended with ${how}: ${said}`)))])
}

let url = ''
beforeAll(async () => {
  url = await serving()
})
afterAll(async () => {
  demo.kill('SIGINT')
  await ended
  for (const path of [folder, tsm]) rmSync(path, { recursive: true, force: true })
})

describe('the walk in the README', () => {
  afterEach(() => {
    // A demonstration that broke down explains every other failure.
    if (demo.exitCode !== null || demo.signalCode !== null) throw new Error(`the demonstration ended: ${said}`)
  })

  it('leads from a challenge to a token, once', async () => {
    const walk = await run(folder, ['sh', '-c', block('walk')], { ASSAY: url, TSM: tsm, REPOSITORY: root })
    expect(walk).toEqual({ code: 0, text: '' })
    expect(readFileSync(join(walked, 'token.jwt'), 'utf8')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/)
    expect(JSON.parse(readFileSync(join(walked, 'refusal.json'), 'utf8'))).toMatchObject({ status: 422, code: 'challenge-spent' })
    const [byHand, byClient] = ['token.jwt', 'client.jwt'].map((name) => decodeJwt(readFileSync(join(walked, name), 'utf8')))
    expect(byClient?.['cnf']).toEqual(byHand?.['cnf'])
    expect(byClient?.jti).not.toBe(byHand?.jti)
  })

  it('ends with a relying party that checks it', async () => {
    const script = block('relying party').replace("'jose'", `'${join(root, 'node_modules/jose/dist/webapi/index.js')}'`)
    const command = [process.execPath, '--input-type=module', '--eval', script] as const
    const checked = await run(walked, command, { ASSAY: url })
    expect(checked.text).toMatch(/^urn:assay:cnf:[0-9a-f]{32} [0-9a-f]{96} \{/)
    expect(checked.code).toBe(0)
    const other = await run(walked, command, { ASSAY: url, TYP: 'JWT' })
    expect(other.code).not.toBe(0)
  })
})
