import { chmodSync, existsSync, readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { assay } from '../../test/cli.ts'
import { startWorld, type World } from '../../test/service-process.ts'
import { vcekAddress } from '../verifiers/snp/address.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(async () => {
  await world.close()
})

/** Settings with a data folder of their own. */
const environment = (name: string, more: Readonly<Record<string, unknown>> = {}) => ({
  ASSAY_CONFIG: world.files.write(`${name}.json`, { ...world.settings, data_dir: world.files.path(name), ...more }),
})

const addresses = (out: string) => (JSON.parse(out) as { address: string }[]).map(({ address }) => address)

describe('assay collateral', () => {
  it('fetches lists and certificates, lists them, and carries them to another store', async () => {
    const from = environment('from')
    const vek = world.amd.vcek({ product: 'Genoa' })
    const address = vcekAddress('Genoa', Buffer.from(vek.hwid).toString('hex'), vek.tcb)
    expect((await assay(['collateral', 'fetch', '--document', address], from)).code).toBe(0)
    const listed = await assay(['collateral', 'list', '--json'], from)
    expect(addresses(listed.out)).toContain(address)
    // Beside it what is standing: six lists of AMD's, three lists and an identity of Intel's.
    expect(addresses(listed.out)).toHaveLength(11)
    const bundle = world.files.path('bundle.json')
    expect((await assay(['collateral', 'export', '--out', bundle], from)).code).toBe(0)
    const to = environment('to')
    const imported = await assay(['collateral', 'import', bundle], to)
    expect([imported.code, imported.out.match(/^stored /gm)]).toMatchObject([0, Array.from({ length: 11 }, () => 'stored ')])
    expect(addresses((await assay(['collateral', 'list', '--json'], to)).out)).toEqual(addresses(listed.out))
    expect((await assay(['collateral', 'list'], to)).out).toContain(address)
  })

  it('keeps nothing that does not prove genuine', async () => {
    const forged = world.amd.crl({ product: 'Milan', overrides: { signWith: world.amd.authority('Genoa', 'ark') } })
    const item = { kind: 'amd-crl', product: 'Milan', endpoint: 'vcek', der: Buffer.from(forged).toString('base64') }
    const target = environment('forged')
    const { code, out } = await assay(
      ['collateral', 'import', world.files.write('forged-bundle.json', { format: 'assay-collateral/1', items: [item] })],
      target,
    )
    expect(code).toBe(1)
    expect(out).toContain('refused amd/crl/Milan/vcek')
    expect(addresses((await assay(['collateral', 'list', '--json'], target)).out)).toEqual([])
  })

  it('writes a bundle without touching any store', async () => {
    const bundle = world.files.path('fresh.json')
    const { code } = await assay(['collateral', 'fetch', '--out', bundle], environment('untouched'))
    expect(code).toBe(0)
    expect((JSON.parse(readFileSync(bundle, 'utf8')) as { items: unknown[] }).items).toHaveLength(10)
    expect(() => readFileSync(world.files.path('untouched'))).toThrow(/ENOENT/)
  })

  it('says what the vendor does not have, and that it is undecided', async () => {
    const nobody = `amd/vcek/Milan/${'ab'.repeat(64)}/4-0-24-219`
    const { code, err } = await assay(
      ['collateral', 'fetch', '--document', nobody, '--out', world.files.path('none.json')],
      environment('nobody'),
    )
    expect(code).toBe(3)
    expect(err).toContain(`not-found ${nobody}`)
  })

  it.each([
    ['an address that names no document', ['fetch', '--document', 'amd/crl/Rome/vcek']],
    ['a bundle that is none', ['import', 'NOTHING']],
    ['no bundle', ['import']],
    ['no verb', []],
  ])('takes %s for wrong usage', async (_, args) => {
    const nothing = world.files.write('nothing.json', { format: 'assay-collateral/2', items: [] })
    const { code } = await assay(['collateral', ...args.map((arg) => (arg === 'NOTHING' ? nothing : arg))], environment('usage'))
    expect(code).toBe(2)
  })
})

describe('assay config', () => {
  it('tells that a configuration is usable, and which audience is weakened', async () => {
    const weak = environment('weak')
    world.files.write(
      'policies/any.yaml',
      'name: any\nsnp: {measurements: DANGEROUSLY_ACCEPT_ANY}\ntdx: {accepted_tcb_statuses: [UpToDate, OutOfDate]}\n',
    )
    const { code, out, err } = await assay(['config', 'check'], {
      ...weak,
      ...environment('weak', { audiences: { a: { policies: ['any'] } } }),
    })
    expect([code, out]).toEqual([0, ''])
    expect(err).toMatch(
      /audience a is only as strong as its weakest policy: snp\.measurements: DANGEROUSLY_ACCEPT_ANY, tdx\.accepted_tcb_statuses: OutOfDate/,
    )
  })

  it.each([[['config', 'check', '--print']], [['config', '--print']], [['config', 'print']]])(
    'prints what is in force with %j',
    async (args) => {
      const secret = world.files.write('secret', 'abcdefgh'.repeat(8))
      chmodSync(secret, 0o600)
      const { code, out } = await assay(args, environment('print', { redis_url: 'redis://:hunter2@127.0.0.1:1', secret_file: secret }))
      expect(code).toBe(0)
      expect(out).toContain('mode: test')
      expect(out).not.toContain('hunter2')
    },
  )

  it('names everything that is wrong', async () => {
    const { code, err } = await assay(['config', 'check'], { ASSAY_MODE: 'prod', ASSAY_LISTEN: 'x', ASSAY_TYPO: '1' })
    expect(code).toBe(2)
    expect(err).toMatch(/mode \(ASSAY_MODE\)[^]*listen \(ASSAY_LISTEN\)|listen \(ASSAY_LISTEN\)[^]*mode \(ASSAY_MODE\)/)
  })

  it('reads the files that are named, and makes none', async () => {
    const secret = world.files.write('readable-secret', 'x'.repeat(64))
    chmodSync(secret, 0o644)
    const wrong = { secret_file: secret, token_key_file: world.files.path('no-key'), tls_cert: '/nowhere.crt', tls_key: '/nowhere.key' }
    const { code, err } = await assay(
      ['config', 'check'],
      environment('files', { ...wrong, audiences: { default: { policies: ['nowhere'] } } }),
    )
    expect(code).toBe(2)
    expect(err).toMatch(/secret_file .*can be read by others/)
    expect(err).toMatch(/token_key_file .*does not exist/)
    expect(err).toMatch(/tls_cert .*ENOENT/)
    expect(err).toMatch(/there is no policy nowhere/)
    expect(existsSync(world.files.path('no-key'))).toBe(false)
    expect(existsSync(world.files.path('files'))).toBe(false)
  })

  it('refuses a root that is none', async () => {
    const { code, err } = await assay(
      ['config', 'check'],
      environment('roots', { insecure_test_roots: [world.files.write('root.der', 'x')] }),
    )
    expect(code).toBe(2)
    expect(err).toContain('insecure_test_root')
  })

  it('needs a verb', async () => {
    expect((await assay(['config'])).code).toBe(2)
  })
})

describe('assay', () => {
  it('shows its commands and succeeds', async () => {
    const { code, out } = await assay(['--help'])
    expect(code).toBe(0)
    for (const command of ['serve', 'verify', 'inspect', 'bind', 'demo', 'simulate', 'collateral', 'config'])
      expect(out).toContain(`  ${command}`)
  })

  it('takes an unknown command for wrong usage', async () => {
    const { code, err } = await assay(['verifi'])
    expect(code).toBe(2)
    expect(err).toContain('Did you mean verify?')
  })
})
