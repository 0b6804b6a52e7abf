import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import type { AuditLine, AuditLog, FileState } from '../access/audit.ts'
import type { FileDocument } from '../policies/files.ts'
import { readIfThere, writeAtomic } from '../stores/atomic.ts'
import { openRecord, sealRecord } from '../stores/record.ts'
import type { FileCollection, StoreKeys } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'

/**
 * Tells in the audit log what changes in the folders of policies and of reference values, once for all processes of a machine and also
 * for what changed while no service ran. `record` takes all documents of a collection that are about to count; it resolves when the
 * differences to those of the time before are in the log, and rejects with `audit-unavailable`.
 */
export type FileChanges = { readonly record: (collection: FileCollection, documents: readonly FileDocument[]) => Promise<void> }

/** `path`: where it is kept what was told last; whoever cannot seal it can hide no change. */
type Options = {
  readonly path: string
  readonly keys: StoreKeys
  readonly audit: AuditLog
  readonly now: () => Date
  readonly log: Telemetry
}

const document = z.strictObject({
  name: z.string(),
  version: z.int(),
  sha256: z.string(),
  standing: z
    .discriminatedUnion('state', [
      z.strictObject({ state: z.literal('draft') }),
      z.strictObject({ state: z.literal('active') }),
      z.strictObject({ state: z.literal('deprecated'), until: z.string() }),
      z.strictObject({ state: z.literal('revoked'), reason: z.string() }),
    ])
    .optional(),
})

/** What another process, or the file of an earlier one, says of documents. */
export const fileDocuments = z.array(document).max(10_000)

const told = z.strictObject({ policies: fileDocuments, 'reference-values': fileDocuments })

type Told = z.output<typeof told>
type Documents = Told[FileCollection]

const NOTHING: Told = { policies: [], 'reference-values': [] }
const SEAL = { purpose: 'operators-files', name: 'told' } as const

/** Rejects when the file cannot be read or a newer version wrote it. One that cannot be believed counts as absent: all is told anew. */
export async function createFileChanges(options: Options): Promise<FileChanges> {
  const state = { told: await load(options), isSaved: true }
  let last: Promise<void> = Promise.resolve()
  const tell = async (collection: FileCollection, documents: Documents): Promise<void> => {
    const lines = changesOf(state.told[collection], documents).map((change) => ({ ...change, collection }))
    if (lines.length > 0) {
      await append(lines, options)
      state.told = { ...state.told, [collection]: documents }
      state.isSaved = false
    }
    // What is in the log is told, even where nobody can remember it: the next start tells it again then.
    if (!state.isSaved) state.isSaved = await save(state.told, options)
  }
  return {
    // One after the other: of several processes that see the same, the first tells.
    record: (collection, documents) => {
      const next = last.then(() => tell(collection, fileDocuments.parse(documents)))
      last = next.catch(() => undefined)
      return next
    },
  }
}

type Change = Omit<NonNullable<AuditLine['file']>, 'collection'>

function changesOf(before: Documents, after: Documents): readonly Change[] {
  const [old, fresh] = [byVersion(before), byVersion(after)]
  return [...new Set([...old.keys(), ...fresh.keys()])].flatMap((key) => {
    const [was, is] = [old.get(key), fresh.get(key)]
    const one = is ?? was
    if (one === undefined || JSON.stringify(stateOf(was)) === JSON.stringify(stateOf(is))) return []
    return [{ name: one.name, version: one.version, before: stateOf(was), after: stateOf(is) }]
  })
}

const byVersion = (documents: Documents) => new Map(documents.map((each) => [`${each.name}/${each.version}`, each] as const))

function stateOf(one: Documents[number] | undefined): FileState | null {
  if (one === undefined) return null
  return one.standing === undefined ? { sha256: one.sha256 } : { sha256: one.sha256, standing: one.standing }
}

/** The lines of one reading of a folder have one time and one id, and are one write. */
async function append(files: readonly NonNullable<AuditLine['file']>[], { audit, now }: Options): Promise<void> {
  const line = { time: now().toISOString(), request_id: randomUUID(), outcome: 'changed', caller: 'files' } as const
  await Promise.all(files.map((file) => audit.append({ ...line, action: `${PREFIXES[file.collection]}-file`, file })))
}

const PREFIXES: Readonly<Record<FileCollection, string>> = { policies: 'policy', 'reference-values': 'reference-values' }

async function load({ path, keys, log }: Options): Promise<Told> {
  const bytes = await readIfThere(path)
  if (bytes === undefined) return NOTHING
  const record = openRecord(keys, SEAL, bytes)
  if (record !== 'forged') return told.parse(JSON.parse(Buffer.from(record.value).toString('utf8')))
  log.error(
    { alarm: 'operators-files-forged', path },
    'what was known of operators’ files was changed by somebody else: all is recorded anew',
  )
  return NOTHING
}

async function save(value: Told, { path, keys, log }: Options): Promise<boolean> {
  try {
    await writeAtomic(path, sealRecord(keys, { ...SEAL, counter: 1, value: Buffer.from(JSON.stringify(value)) }))
    return true
  } catch (error) {
    log.error({ err: error, path }, 'what is known of operators’ files cannot be kept; the next start may record it again')
    return false
  }
}
