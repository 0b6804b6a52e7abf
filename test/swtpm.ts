import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'

/** Programs that a TPM in software and its user need. */
const PROGRAMS = ['swtpm', 'swtpm_setup', 'swtpm_localca', 'tpm2_createak'] as const

/** Whether swtpm and tpm2-tools can be run. With CI=true their absence is a failure; elsewhere the caller skips, and this line says so. */
export function swtpmPresent(): boolean {
  const missing = PROGRAMS.filter((program) => spawnSync(program, ['--version']).error !== undefined)
  if (missing.length === 0) return true
  if (process.env['CI'] === 'true') throw new Error(`CI needs ${missing.join(', ')} on the PATH (swtpm, swtpm-tools, tpm2-tools)`)
  process.stderr.write(`${missing.join(', ')} not found: the tests that need a TPM in software are skipped\n`)
  return false
}

/** Endorsement keys of a manufactured TPM, and one that `createP256Ek` makes. */
const EKS = {
  /** RSA-2048, template L-1. */
  rsa: { handle: '0x81010001', certificate: '0x01c00002', access: 'policy' },
  /** P-384, template H-3. */
  p384: { handle: '0x81010016', certificate: '0x01c00016', access: 'auth' },
  /** P-256, template L-2, with a certificate of the same authority that the TPM does not keep. */
  p256: { handle: '0x81010018', certificate: undefined, access: 'policy' },
} as const
/** The name of an endorsement key. */
export type EkName = keyof typeof EKS

/** A signing key to be made. */
export type AkSpec = {
  readonly under: EkName
  readonly algorithm: 'rsa' | 'ecc' | 'ecc384'
  readonly hash: 'sha256' | 'sha384'
  readonly scheme: 'rsassa' | 'rsapss' | 'ecdsa'
}

/** A signing key at a persistent handle, so that it outlives resets. */
export type SwtpmAk = AkSpec & {
  readonly handle: string
  /** TPM2B_PUBLIC. */
  readonly public: Uint8Array
  /** nameAlg ‖ digest, lower-case hex. */
  readonly name: string
}

/** What TPM2_Quote gives, and the values of the quoted PCRs by bank and index. */
export type SwtpmQuote = {
  readonly quote: Uint8Array
  readonly signature: Uint8Array
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, Uint8Array>>>>
}

/** A running TPM with its own authority. */
export type Swtpm = {
  /** Runs a program of tpm2-tools against it and gives its standard output. */
  readonly run: (program: string, ...args: readonly string[]) => Promise<string>
  /** A path in its folder. */
  readonly path: (name: string) => string
  /** PEM. */
  readonly authority: { readonly issuer: string; readonly root: string }
  readonly ekCertificate: (ek: EkName) => Promise<Uint8Array>
  /** TPM2B_PUBLIC. */
  readonly ekPublic: (ek: EkName) => Promise<Uint8Array>
  readonly createP256Ek: () => Promise<void>
  readonly createAk: (spec: AkSpec) => Promise<SwtpmAk>
  /** Recovers the secret of a credential, a file as tpm2_makecredential writes it. Rejects where the TPM refuses. */
  readonly activate: (ak: SwtpmAk, blob: Uint8Array) => Promise<Uint8Array>
  /** `selection` as tpm2_quote takes it: `sha256:0,1,7+sha384:4`. */
  readonly quote: (ak: SwtpmAk, nonce: Uint8Array, selection: string) => Promise<SwtpmQuote>
  /** Digests by bank, hex. */
  readonly extend: (pcr: number, digests: Readonly<Record<string, string>>) => Promise<void>
  /** Reboots: `orderly` after TPM2_Shutdown(CLEAR), `unclean` without a word, `resume` after TPM2_Shutdown(STATE). `whileOff` is done in between. */
  readonly restart: (how: 'orderly' | 'unclean' | 'resume', whileOff?: () => Promise<void>) => Promise<void>
  readonly close: () => Promise<void>
}

const run = promisify(execFile)
const BANKS = 'sha1,sha256,sha384'
/** Where the first signing key is kept; further ones follow. */
const FIRST_AK = 0x81010020
/** A refused start shows itself within this many tries of 20 ms. */
const TRIES = 500

/**
 * Manufactures a TPM (RSA-2048 and P-384 endorsement keys with certificates) and starts it. With `authority`, the folder of another one's,
 * certificates come from there; each TPM has one of its own otherwise.
 */
export async function startSwtpm(options: { readonly authorityOf?: Swtpm } = {}): Promise<Swtpm> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-swtpm-'))
  const path = (name: string): string => join(folder, name)
  const authority = options.authorityOf?.path('ca') ?? path('ca')
  await manufacture(folder, authority)
  let server = await started(path, 'startup-clear')
  let handles = 0
  const tool = async (program: string, ...args: readonly string[]): Promise<string> => {
    const env = { ...process.env, TPM2TOOLS_TCTI: `swtpm:path=${path('sock')}` }
    const { stdout } = await run(program, [...args], { env, cwd: folder })
    return stdout
  }
  const bytes = async (name: string): Promise<Uint8Array> => new Uint8Array(await readFile(path(name)))
  const stop = async (): Promise<void> => {
    if (server.exitCode !== null || server.signalCode !== null) return
    const ended = once(server, 'exit')
    await run('swtpm_ioctl', ['--unix', path('sock.ctrl'), '-s'])
    await ended
  }
  return {
    run: tool,
    path,
    authority: {
      issuer: await readFile(join(authority, 'issuercert.pem'), 'utf8'),
      root: await readFile(join(authority, 'swtpm-localca-rootca-cert.pem'), 'utf8'),
    },
    ekCertificate: async (ek) => {
      const { certificate } = EKS[ek]
      if (certificate === undefined) return bytes('ek256.der')
      await tool('tpm2_nvread', certificate, '-o', 'ek.der')
      return bytes('ek.der')
    },
    ekPublic: async (ek) => {
      await tool('tpm2_readpublic', '-c', EKS[ek].handle, '-o', 'ek.pub', '-f', 'tss')
      return bytes('ek.pub')
    },
    createP256Ek: () => createP256Ek(tool, folder),
    createAk: async (spec) => {
      const handle = `0x${(FIRST_AK + handles).toString(16)}`
      handles += 1
      return createAk({ tool, bytes, handle }, spec)
    },
    activate: async (ak, blob) => {
      await writeFile(path('blob'), blob)
      return activate(tool, ak, bytes)
    },
    quote: async (ak, nonce, selection) => {
      const scheme = ak.scheme === 'rsapss' ? ['--scheme', 'rsapss'] : []
      const [wanted, out] = [Buffer.from(nonce).toString('hex'), ['-m', 'att', '-s', 'sig', '-g', ak.hash]]
      await tool('tpm2_quote', '-c', ak.handle, '-l', selection, '-q', wanted, ...out, ...scheme)
      return { quote: await bytes('att'), signature: await bytes('sig'), pcrs: await readPcrs(tool, selection, bytes) }
    },
    extend: async (pcr, digests) => {
      const list = Object.entries(digests).map(([bank, digest]) => `${bank}=${digest}`)
      await tool('tpm2_pcrextend', `${pcr}:${list.join(',')}`)
    },
    restart: async (how, whileOff) => {
      if (how !== 'unclean') await tool('tpm2_shutdown', ...(how === 'orderly' ? ['-c'] : []))
      await stop()
      await whileOff?.()
      server = await started(path, how === 'resume' ? 'startup-state' : 'startup-clear')
    },
    close: async () => {
      await stop()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

type Tool = Swtpm['run']
type ReadBytes = (name: string) => Promise<Uint8Array>

async function manufacture(folder: string, authority: string): Promise<void> {
  const path = (name: string): string => join(folder, name)
  await Promise.all(['state', 'certs'].map((name) => mkdir(path(name))))
  await mkdir(authority, { recursive: true })
  await writeFile(
    path('swtpm_setup.conf'),
    [
      'create_certs_tool = /usr/bin/swtpm_localca',
      `create_certs_tool_config = ${path('swtpm-localca.conf')}`,
      `create_certs_tool_options = ${path('swtpm-localca.options')}`,
      `active_pcr_banks = ${BANKS}`,
      '',
    ].join('\n'),
  )
  await writeFile(
    path('swtpm-localca.conf'),
    [
      `statedir = ${authority}`,
      `signingkey = ${join(authority, 'signkey.pem')}`,
      `issuercert = ${join(authority, 'issuercert.pem')}`,
      `certserial = ${join(authority, 'certserial')}`,
      '',
    ].join('\n'),
  )
  await writeFile(path('swtpm-localca.options'), '--platform-manufacturer Lab\n--platform-version 2.1\n--platform-model Lab\n')
  const certificates = ['--create-ek-cert', '--create-platform-cert', '--lock-nvram', '--write-ek-cert-files', path('certs')]
  const place = ['--tpmstate', path('state'), '--config', path('swtpm_setup.conf'), '--logfile', path('setup.log')]
  await run('swtpm_setup', ['--tpm2', ...place, ...certificates, '--pcr-banks', BANKS, '--overwrite', '--vmid', 'vm-1'])
}

async function started(path: Swtpm['path'], how: 'startup-clear' | 'startup-state'): Promise<ChildProcess> {
  await Promise.all([rm(path('sock'), { force: true }), rm(path('sock.ctrl'), { force: true })])
  const sockets = ['--server', `type=unixio,path=${path('sock')}`, '--ctrl', `type=unixio,path=${path('sock.ctrl')}`]
  const args = ['socket', '--tpm2', '--tpmstate', `dir=${path('state')}`, ...sockets, '--flags', `not-need-init,${how}`]
  const server = spawn('swtpm', args, { stdio: 'ignore' })
  for (let tries = 0; !(existsSync(path('sock')) && existsSync(path('sock.ctrl'))); tries += 1) {
    if (tries > TRIES || server.exitCode !== null) throw new Error('swtpm does not start')
    await sleep(20)
  }
  return server
}

async function createAk({ tool, bytes, handle }: { tool: Tool; bytes: ReadBytes; handle: string }, spec: AkSpec): Promise<SwtpmAk> {
  const files = ['-c', 'ak.ctx', '-u', 'ak.pub', '-n', 'ak.name', '-r', 'ak.priv']
  const kind = ['-G', spec.algorithm, '-g', spec.hash, '-s', spec.scheme]
  await tool('tpm2_createak', '-C', EKS[spec.under].handle, ...files, ...kind)
  await tool('tpm2_flushcontext', '-t')
  await tool('tpm2_evictcontrol', '-C', 'o', '-c', 'ak.ctx', handle)
  await tool('tpm2_flushcontext', '-t')
  return { ...spec, handle, public: await bytes('ak.pub'), name: Buffer.from(await bytes('ak.name')).toString('hex') }
}

/** High-range keys are used by their (empty) authorisation value, low-range keys by PolicySecret of the endorsement hierarchy. */
async function activate(tool: Tool, ak: SwtpmAk, bytes: ReadBytes): Promise<Uint8Array> {
  const { handle, access } = EKS[ak.under]
  const command = ['-c', ak.handle, '-C', handle, '-i', 'blob', '-o', 'secret'] as const
  if (access === 'auth') {
    await tool('tpm2_activatecredential', ...command)
    return bytes('secret')
  }
  await tool('tpm2_startauthsession', '--policy-session', '-S', 'session.ctx')
  try {
    await tool('tpm2_policysecret', '-S', 'session.ctx', '-c', 'e')
    await tool('tpm2_activatecredential', ...command, '-P', 'session:session.ctx')
  } finally {
    await tool('tpm2_flushcontext', 'session.ctx')
  }
  return bytes('secret')
}

/** A third endorsement key, and a certificate for it by the authority of the others. */
async function createP256Ek(tool: Tool, folder: string): Promise<void> {
  await tool('tpm2_createek', '-G', 'ecc', '-c', 'ek256.ctx', '-u', 'ek256.pub')
  await tool('tpm2_flushcontext', '-t')
  await tool('tpm2_evictcontrol', '-C', 'o', '-c', 'ek256.ctx', EKS.p256.handle)
  await tool('tpm2_flushcontext', '-t')
  const area = await readFile(join(folder, 'ek256.pub'))
  // A P-256 public area ends with TPM2B x and TPM2B y, 34 bytes each.
  const [x, y] = [area.subarray(-66, -34).toString('hex'), area.subarray(-32).toString('hex')]
  const is = ['--tpm-spec-family', '2.0', '--tpm-spec-level', '0', '--tpm-spec-revision', '164', '--tpm-manufacturer', 'id:00001014']
  const model = ['--tpm-model', 'swtpm', '--tpm-version', 'id:20191023', '--tpm2', '--configfile', join(folder, 'swtpm-localca.conf')]
  const out = ['--dir', folder, '--vmid', 'vm-p256', '--optsfile', join(folder, 'swtpm-localca.options')]
  await run('swtpm_localca', ['--type', 'ek', '--ek', `x=${x},y=${y},id=secp256r1`, ...is, ...model, ...out])
  await writeFile(join(folder, 'ek256.der'), await readFile(join(folder, 'ek.cert')))
}

/** Values of the selected PCRs: the tool writes them one after the other, in the order of the selection. */
async function readPcrs(tool: Tool, selection: string, bytes: ReadBytes): Promise<SwtpmQuote['pcrs']> {
  await tool('tpm2_pcrread', selection, '-o', 'pcrs')
  const values = await bytes('pcrs')
  let at = 0
  const banks = selection.split('+').map((part) => {
    const [bank = '', list = ''] = part.split(':')
    const length = { sha1: 20, sha256: 32, sha384: 48 }[bank] ?? 0
    const indexes = list.split(',').map(Number)
    const row = indexes
      .toSorted((a, b) => a - b)
      .map((index) => {
        at += length
        return [String(index), values.slice(at - length, at)] as const
      })
    return [bank, Object.fromEntries(row)] as const
  })
  return Object.fromEntries(banks)
}
