import { execFileSync } from 'node:child_process'
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createLog } from '../telemetry/log.ts'
import { createAuditLog, type AuditLine } from './audit.ts'
import { verifyAudit } from './audit-verify.ts'

const log = createLog('silent')

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-audit-'))
})
afterEach(() => rm(folder, { recursive: true }))

const line = (n: number): AuditLine => ({
  time: '2026-11-24T08:00:00.000Z',
  request_id: `request-${n}`,
  action: 'appraisal',
  outcome: 'refused',
  caller: '192.0.2.0/24',
  code: 'snp-measurement-mismatch\n{"forged": true}',
})
/** A line without its place in the chain. */
function entryOf(chained: AuditLine & Record<string, unknown>): AuditLine {
  const entry = { ...chained }
  for (const name of ['seq', 'prev', 'after_broken']) Reflect.deleteProperty(entry, name)
  return entry
}
const linesOf = async (path: string): Promise<readonly AuditLine[]> =>
  (await readFile(path, 'utf8'))
    .trimEnd()
    .split('\n')
    .filter((text) => text !== '')
    .map((text): AuditLine => entryOf(JSON.parse(text)))
const unavailable = expect.objectContaining({ code: 'audit-unavailable', retryAfter: 10 })

describe('createAuditLog', () => {
  it('has written a line when append resolves, one JSON object per line whatever it holds', async () => {
    const path = join(folder, 'logs/audit.jsonl')
    const audit = await createAuditLog({ path, log })
    await audit.append(line(1))
    expect(await linesOf(path)).toEqual([line(1)])
    await audit.append(line(2))
    expect(await linesOf(path)).toEqual([line(1), line(2)])
    expect((await stat(path)).mode & 0o777).toBe(0o600)
    await audit.close()
  })

  it('keeps the order and loses none of many at once', async () => {
    const path = join(folder, 'audit.jsonl')
    const audit = await createAuditLog({ path, log })
    const lines = Array.from({ length: 2000 }, (_, n) => line(n))
    await Promise.all(lines.map((one) => audit.append(one)))
    expect(await linesOf(path)).toEqual(lines)
    await audit.close()
  })

  it('goes on behind what is there, also when that is in no chain', async () => {
    const path = join(folder, 'audit.jsonl')
    await writeFile(path, `${JSON.stringify(line(0))}\n`)
    const audit = await createAuditLog({ path, log })
    await Promise.all([audit.append(line(1)), audit.append(line(2))])
    expect(await linesOf(path)).toEqual([line(0), line(1), line(2)])
    await audit.close()
  })

  it('follows a rotation: the old name gets a new file', async () => {
    const path = join(folder, 'audit.jsonl')
    const audit = await createAuditLog({ path, log })
    await audit.append(line(1))
    await rename(path, `${path}.1`)
    await audit.append(line(2))
    await rm(path)
    await audit.append(line(3))
    expect(await linesOf(`${path}.1`)).toEqual([line(1)])
    expect(await linesOf(path)).toEqual([line(3)])
    await audit.close()
  })

  it('says so when a line cannot be written, and writes again when it can', async () => {
    const path = join(folder, 'logs/audit.jsonl')
    const audit = await createAuditLog({ path, log })
    await rm(join(folder, 'logs'), { recursive: true })
    await writeFile(join(folder, 'logs'), 'in the way')
    await expect(audit.append(line(1))).rejects.toEqual(unavailable)
    await expect(audit.append(line(2))).rejects.toEqual(unavailable)
    await rm(join(folder, 'logs'))
    await expect(audit.append(line(3))).resolves.toBeUndefined()
    expect(await linesOf(path)).toEqual([line(3)])
    await audit.close()
  })

  it.skipIf(process.platform !== 'linux')('counts a full disk as a line that was not written', async () => {
    const audit = await createAuditLog({ path: '/dev/full', log })
    await expect(audit.append(line(1))).rejects.toEqual(unavailable)
    await audit.close()
  })

  it.skipIf(process.platform !== 'linux')('ends a line that a full disk broke off, so that it spoils no other', async () => {
    const path = join(folder, 'audit.jsonl')
    const script = `
      import { truncateSync } from 'node:fs'
      import { createAuditLog } from ${JSON.stringify(resolve(import.meta.dirname, 'audit.ts'))}
      const log = await createAuditLog({ path: process.argv[1], log: { info() {}, error() {} } })
      const append = (request_id) => log.append({ request_id }).then(() => 'written', (error) => error.code)
      const outcomes = [await append('first'), await append('x'.repeat(20_000))]
      truncateSync(process.argv[1], 1000) // room again, behind a line that is broken off
      outcomes.push(await append('third'))
      process.stdout.write(outcomes.join())`
    // A limit on file sizes stands for the disk: the write that reaches it is cut short, and the next one fails.
    const limited = 'trap "" XFSZ; ulimit -f 8; exec "$0" --input-type=module -e "$1" "$2"'
    expect(execFileSync('sh', ['-c', limited, process.execPath, script, path], { encoding: 'utf8' })).toBe(
      'written,audit-unavailable,written',
    )
    const [first = '', broken = '', third = '', ...rest] = (await readFile(path, 'utf8')).split('\n')
    expect([JSON.parse(first), JSON.parse(third), ...rest]).toMatchObject([
      { request_id: 'first' },
      { request_id: 'third', after_broken: true },
      '',
    ])
    expect(broken).toMatch(/"request_id":"x+$/)
    expect(await verifyAudit([path])).toMatchObject({ faults: [], first: 1, head: { seq: 2 } })
  })

  it('takes nothing after it was closed, and has written everything before', async () => {
    const path = join(folder, 'audit.jsonl')
    const audit = await createAuditLog({ path, log })
    const pending = audit.append(line(1))
    await Promise.all([audit.close(), audit.close()])
    await expect(pending).resolves.toBeUndefined()
    await expect(audit.append(line(2))).rejects.toEqual(unavailable)
    expect(await linesOf(path)).toEqual([line(1)])
  })

  it('refuses to start where it cannot write', async () => {
    await writeFile(join(folder, 'file'), '')
    await chmod(join(folder, 'file'), 0o600)
    await expect(createAuditLog({ path: join(folder, 'file/audit.jsonl'), log })).rejects.toThrow('EEXIST')
    await expect(createAuditLog({ path: folder, log })).rejects.toThrow('EISDIR')
  })
})
