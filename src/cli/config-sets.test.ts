import { afterEach, beforeEach, expect, it } from 'vitest'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { setText } from '../../test/reference-sets.ts'

let files: Files
beforeEach(() => {
  files = tempFiles()
})
afterEach(() => files.remove())

const check = (): Promise<{ readonly code: number | null; readonly err: string }> => {
  files.write('policies/a.yaml', JSON.stringify({ name: 'edge', snp: { measurements: [{ set: 'nodes' }, { set: 'absent' }] } }))
  return assay(['config', 'check'], { ASSAY_POLICY_DIR: files.path('policies'), ASSAY_REFERENCE_DIR: files.path('sets') })
}

it('says which sets give policies nothing, and why', async () => {
  files.write('sets/a.yaml', setText([1]))
  const { code, err } = await check()
  expect(code).toBe(0)
  expect(err).toContain('policy edge, snp.measurements: the set nodes gives no value: version 1 draft')
  expect(err).toContain('policy edge, snp.measurements: the set absent is in no file; it may be in the store')
})

it('says nothing of a set that counts', async () => {
  files.write('sets/a.yaml', setText([1], { standing: { state: 'active' } }))
  expect((await check()).err).not.toContain('nodes')
})

it('refuses a folder with a set that cannot be used', async () => {
  files.write('sets/a.yaml', 'name: [')
  expect(await check()).toMatchObject({ code: 2, err: expect.stringContaining('reference_dir') })
})
