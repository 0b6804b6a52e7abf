import { createSecretKey, randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { alarmLog } from '../../test/stored-documents.ts'
import { auditUnavailable, type AuditLine } from '../access/audit.ts'
import type { FileDocument } from '../policies/files.ts'
import { createFileChanges, type FileChanges } from './file-changes.ts'
import { parentFileChanges, serveFileChanges } from './parent-file-changes.ts'
import { pair } from '../../test/channels.ts'

const keys = { stored: createSecretKey(randomBytes(32)) }
const a = 'aa'.repeat(32)
const b = 'bb'.repeat(32)
const set = (version: number, standing: FileDocument['standing']): FileDocument => ({ name: 'nodes', version, sha256: a, standing })
const policy = (name: string, sha256 = a): FileDocument => ({ name, version: 1, sha256 })

let folder: string
let lines: AuditLine[]
let broken: boolean
let alarms: () => string[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-files-'))
  lines = []
  broken = false
})
afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

const path = () => join(folder, 'files-told')
const now = () => new Date('2026-06-01T00:00:00Z')
const append = async (line: AuditLine) => {
  if (broken) throw auditUnavailable('the audit log cannot be written')
  lines.push(line)
}
async function open(): Promise<FileChanges> {
  const alarm = alarmLog()
  alarms = alarm.alarms
  return createFileChanges({ path: path(), keys, audit: { append, close: async () => {} }, now, log: alarm.log })
}
const told = () => lines.splice(0).map(({ file }) => [file?.name, file?.before?.sha256, file?.after?.sha256])

describe('the changes of files', () => {
  it('have a line for each document that was added, changed or removed, and none for the others', async () => {
    const changes = await open()
    await changes.record('policies', [policy('eu'), policy('us'), policy('same')])
    expect(told()).toEqual(['eu', 'us', 'same'].map((name) => [name, undefined, a]))
    await changes.record('policies', [policy('eu', b), policy('same'), policy('new')])
    expect(told()).toEqual([
      ['eu', a, b],
      ['us', a, undefined],
      ['new', undefined, a],
    ])
    await changes.record('policies', [policy('new'), policy('eu', b), policy('same')])
    expect(told()).toEqual([])
  })

  it('say who, when, what and in which version', async () => {
    await (await open()).record('reference-values', [{ name: 'nodes', version: 3, sha256: a, standing: { state: 'active' } }])
    expect(lines).toEqual([
      {
        time: '2026-06-01T00:00:00.000Z',
        request_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
        outcome: 'changed',
        caller: 'files',
        action: 'reference-values-file',
        file: {
          collection: 'reference-values',
          name: 'nodes',
          version: 3,
          before: null,
          after: { sha256: a, standing: { state: 'active' } },
        },
      },
    ])
  })

  it('are told apart by version and by what a file says of a set', async () => {
    const changes = await open()
    await changes.record('reference-values', [set(1, { state: 'active' }), set(2, { state: 'draft' })])
    lines = []
    await changes.record('reference-values', [set(1, { state: 'revoked', reason: 'leaked' }), set(2, { state: 'draft' })])
    expect(lines.map(({ file }) => [file?.version, file?.before?.standing, file?.after?.standing])).toEqual([
      [1, { state: 'active' }, { state: 'revoked', reason: 'leaked' }],
    ])
  })

  it('are told at the next start when they were made while no service ran, in each collection', async () => {
    await (await open()).record('policies', [policy('eu')])
    await (await open()).record('reference-values', [policy('eu')])
    lines = []
    const changes = await open()
    await changes.record('policies', [policy('eu', b)])
    await changes.record('reference-values', [])
    expect(told()).toEqual([
      ['eu', a, b],
      ['eu', a, undefined],
    ])
    expect((await stat(path())).mode & 0o777).toBe(0o600)
  })

  it('are told once when several see them at once', async () => {
    const changes = await open()
    const { parent, child } = pair()
    serveFileChanges(changes, parent)
    const other = parentFileChanges(child)
    await Promise.all([changes, other, changes, other].map((each) => each.record('policies', [policy('eu')])))
    expect(told()).toEqual([['eu', undefined, a]])
  })

  it('are refused while they cannot be recorded, and told when they can', async () => {
    const changes = await open()
    const { parent, child } = pair()
    serveFileChanges(changes, parent)
    broken = true
    for (const each of [changes, parentFileChanges(child)])
      await expect(each.record('policies', [policy('eu')])).rejects.toMatchObject({ code: 'audit-unavailable' })
    broken = false
    await changes.record('policies', [policy('eu')])
    expect(told()).toEqual([['eu', undefined, a]])
  })

  it('are all told anew, with an alarm, when somebody else wrote what was told last', async () => {
    await (await open()).record('policies', [policy('eu')])
    const bytes = await readFile(path())
    await writeFile(path(), Buffer.from(bytes.toString('latin1').replaceAll(a, b), 'latin1'))
    lines = []
    const changes = await open()
    expect(alarms()).toEqual(['operators-files-forged'])
    await changes.record('policies', [policy('eu', b)])
    expect(told()).toEqual([['eu', undefined, b]])
  })

  it('are told once a start where they cannot be kept, and kept when that is possible again', async () => {
    const changes = await open()
    await rm(folder, { recursive: true })
    await changes.record('policies', [policy('eu')])
    await changes.record('policies', [policy('eu')])
    expect(told()).toEqual([['eu', undefined, a]])
    await mkdir(folder)
    await changes.record('policies', [policy('eu')])
    await (await open()).record('policies', [policy('eu')])
    expect(told()).toEqual([])
  })
})
