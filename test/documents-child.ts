/**
 * A process that changes documents in a data folder and kills itself at the step of writing whose number it was given: in the middle of the
 * bytes of a file, before a file is renamed into place, after it, or before one is removed. Says `done` when there were fewer steps.
 */
import { createSecretKey } from 'node:crypto'
import fs, { type FileHandle } from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { draft, move } from './stored-documents.ts'

const [dataDir = '', secret = '', change = '', last = '0'] = process.argv.slice(2)
const { open, rename, rm } = fs
let steps = Number.POSITIVE_INFINITY
const step = async (): Promise<void> => {
  steps -= 1
  if (steps === 0) process.kill(process.pid, 'SIGKILL')
  // The signal may need a moment to arrive.
  if (steps === 0) await new Promise(() => setInterval(() => undefined, 1000))
}
const killable = (file: FileHandle): FileHandle => {
  const write = file.writeFile.bind(file)
  file.writeFile = async (data) => {
    const bytes = data as Uint8Array
    await file.write(bytes.subarray(0, bytes.length / 2), 0, undefined, 0)
    await step()
    await file.truncate(0)
    await write(bytes)
  }
  return file
}
Object.assign(fs, {
  open: async (...args: Parameters<typeof open>) => killable(await open(...args)),
  rename: async (...args: Parameters<typeof rename>) => {
    await step()
    await rename(...args)
    await step()
  },
  rm: async (...args: Parameters<typeof rm>) => {
    await step()
    await rm(...args)
  },
})
syncBuiltinESMExports()

// Loaded after the functions that it imports were replaced.
const { fileStores } = await import('../src/stores/file.ts')
const { createLog } = await import('../src/telemetry/log.ts')
const keys = { stored: createSecretKey(Buffer.from(secret, 'hex')) }
const { documents } = await fileStores({ dataDir, keys, mode: 'test', log: createLog('silent') })
process.stdout.write('ready\n')
steps = Number(last)
const result =
  change === 'append'
    ? await documents.append('policies', draft({ text: 'x'.repeat(400_000) }), 1)
    : await documents.advance('policies', move({ value: { active: 2 } }), 1)
process.stdout.write(`done ${result === 'conflict' ? result : 'ok'}\n`)
process.exit(0)
