import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { loadConfig } from '../config.ts'
import { pinnedAnchors } from '../verifiers/anchors.ts'
import { enrollingOf, withEnrolling } from './enrolment.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-enrolling-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const EK = 'a1'.repeat(32)
const config = (dataDir: string, file: string) =>
  loadConfig({ environment: { ASSAY_CONFIG: 'assay.yaml', ASSAY_DATA_DIR: join(folder, dataDir) }, readText: () => file }).config
const ENROLS = `tpm: {enrolment: {ek: [${EK}]}}`

describe('the authority for attestation keys', () => {
  it('is not there where nobody is enrolled', async () => {
    expect(await enrollingOf(config('none', ''))).toBeUndefined()
    expect(() => statSync(join(folder, 'none'))).toThrow('ENOENT')
    expect(withEnrolling(pinnedAnchors, undefined)).toBe(pinnedAnchors)
  })

  it('is made on first start, kept for its owner alone, and the same ever after', async () => {
    const [first, second] = [await enrollingOf(config('a', ENROLS)), await enrollingOf(config('a', ENROLS))]
    expect(first?.authority.spki).toEqual(second?.authority.spki)
    const file = join(folder, 'a/ak-ca-key')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ format: 'assay-ak-ca-key/1', mode: 'production' })
    expect((await enrollingOf(config('b', ENROLS)))?.authority.spki).not.toEqual(first?.authority.spki)
  })

  it('belongs to one mode, and is no key for tokens', async () => {
    await enrollingOf(config('c', ENROLS))
    await expect(enrollingOf(config('c', `mode: test\n${ENROLS}`))).rejects.toThrow('is a key of mode production')
    const file = join(folder, 'token-key')
    writeFileSync(file, JSON.stringify({ format: 'assay-token-key/1', mode: 'production', jwk: {} }), { mode: 0o600 })
    await expect(enrollingOf(config('d', `ak_ca_key_file: ${file}\n${ENROLS}`))).rejects.toThrow('has the format assay-token-key/1')
    await expect(enrollingOf(config('d', `ak_ca_key_file: ${join(folder, 'nowhere')}\n${ENROLS}`))).rejects.toThrow('does not exist')
  })

  it('is an anchor beside the others, with the list', async () => {
    const enrolling = await enrollingOf(config('e', ENROLS))
    const { tpm, amd, digest } = withEnrolling(pinnedAnchors, enrolling)
    expect(tpm.own).toEqual([{ spki: enrolling?.authority.spki }])
    expect([...tpm.listed.spkiSha256]).toEqual([EK])
    expect(amd).toBe(pinnedAnchors.amd)
    expect(digest).not.toBe(pinnedAnchors.digest)
  })
})
