import { execFileSync, spawn } from 'node:child_process'
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join, resolve } from 'node:path'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildKit, type Built } from './built.ts'
import { EXPECTED, PROGRAM, walkFor, type Walk } from './walk.ts'

const root = resolve(import.meta.dirname, '../../..')
let built: Built
let walk: Walk
beforeAll(async () => {
  built = buildKit()
  walk = await walkFor()
})
afterAll(() => built.remove())

/** Where a program is, or undefined with a line that says that its test is skipped. With CI=true it must be there. */
function programOf(name: string, places: readonly string[]): string | undefined {
  const found = places.find((place) => existsSync(place))
  if (found === undefined && process.env['CI'] === 'true') throw new Error(`CI needs ${name}`)
  if (found === undefined) process.stderr.write(`${name} is not installed: its test is skipped\n`)
  return found
}

const chromium = programOf('Chromium', ['/usr/bin/chromium-headless-shell', '/usr/bin/chromium'])
const deno = programOf('Deno', globSync(join(root, 'node_modules/@deno/*/deno')))
const oldNode = ['/usr/bin/node', '/usr/local/bin/node'].find(
  (place) => existsSync(place) && execFileSync(place, ['--version']).toString().startsWith('v20.'),
)
if (oldNode === undefined) process.stderr.write('the system has no Node 20: its test is skipped\n')

/** The program as a module that prints what it says. */
function program(): string {
  const path = join(built.folder, 'program.js')
  writeFileSync(
    path,
    `import * as kit from './dist/index.js'\nconst walk = ${JSON.stringify(walk)}\nconsole.log(await (async () => {${PROGRAM}})())\n`,
  )
  return path
}

/** One file with everything that is imported, but what is external. */
async function bundled(entry: string, external: string[]): Promise<string> {
  const bundle = await rolldown({
    input: join(built.dist, entry),
    external,
    logLevel: 'silent',
    cwd: built.folder,
    resolve: { symlinks: false },
  })
  const { output } = await bundle.generate({ format: 'esm', minify: true })
  return output.map((chunk) => (chunk.type === 'chunk' ? chunk.code : '')).join('')
}

describe('the built package', () => {
  it('runs in this Node', async () => {
    walk = await walkFor()
    expect(execFileSync(process.execPath, [program()]).toString().trim()).toBe(EXPECTED)
  })

  it.skipIf(oldNode === undefined)('runs in Node 20', async () => {
    walk = await walkFor()
    expect(
      execFileSync(oldNode ?? '', [program()])
        .toString()
        .trim(),
    ).toBe(EXPECTED)
  })

  it.skipIf(deno === undefined)('runs in Deno', async () => {
    walk = await walkFor()
    const env = { ...process.env, DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(built.folder, 'deno') }
    const said = execFileSync(deno ?? '', ['run', '--no-remote', '--node-modules-dir=manual', program()], { cwd: built.folder, env })
    expect(said.toString().trim()).toBe(EXPECTED)
  })

  it.each(['index.js', 'hono.js', 'express.js', 'fastify.js'])('%s imports jose and its own files only', (entry) => {
    const text = globSync(join(built.dist, '*.js')).map((path) => readFileSync(path, 'utf8'))
    const imported = text.flatMap((one) =>
      [...one.matchAll(/\bfrom '([^']+)'|\bimport\('([^']+)'\)/g)].map((match) => match[1] ?? match[2]),
    )
    expect(existsSync(join(built.dist, entry))).toBe(true)
    expect(imported.filter((name) => name !== 'jose' && !/^\.\/[a-z-]+\.js$/.test(name ?? ''))).toEqual([])
  })

  it.each([
    ['index.js', 30_000],
    ['hono.js', 30 * 1024],
    ['express.js', 30 * 1024],
    ['fastify.js', 30 * 1024],
  ] as const)('%s, minified and without jose, is smaller than %s bytes', async (entry, most) => {
    const bytes = Buffer.byteLength(await bundled(entry, ['jose']))
    expect(bytes).toBeGreaterThan(5000)
    expect(bytes).toBeLessThan(most)
  })
})

describe('in a browser', () => {
  let server: Server
  afterAll(() => void server?.close())

  it.skipIf(chromium === undefined)('the package runs, too', async () => {
    walk = await walkFor()
    const code = await bundled('index.js', [])
    const page = `<!doctype html><title>kit</title><body><script type="module">
      import * as kit from '/kit.js'
      const walk = ${JSON.stringify(walk)}
      document.body.textContent = 'said: ' + await (async () => {${PROGRAM}})()
    </script>`
    server = createServer((request, response) => {
      const isCode = request.url === '/kit.js'
      response.writeHead(200, { 'content-type': isCode ? 'text/javascript' : 'text/html' }).end(isCode ? code : page)
    })
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    expect(await dumped(chromium ?? '', url)).toContain(`said: ${EXPECTED}`)
  })
})

/** The page as it is once its work is done. */
function dumped(browser: string, url: string): Promise<string> {
  const flags = [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--disable-dev-shm-usage',
    `--user-data-dir=${join(built.folder, 'profile')}`,
  ]
  const child = spawn(browser, [...flags, '--virtual-time-budget=10000', '--dump-dom', url], { stdio: ['ignore', 'pipe', 'ignore'] })
  let text = ''
  child.stdout.on('data', (part: Buffer) => (text += part.toString()))
  return new Promise((resolve_, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve_(text))
  })
}
