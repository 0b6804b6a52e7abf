import { chmodSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { tempFiles } from '../../test/cli.ts'
import { pem } from '../simulator/envelopes.ts'
import { fakeIntel } from '../simulator/intel.ts'
import { loadConfig } from '../config.ts'
import { fileProblems } from './named-files.ts'
import { readApiKey, readAuthority } from './intel-files.ts'

const files = tempFiles()
afterAll(() => files.remove())
const config = (environment: Record<string, string>) => loadConfig({ environment, readText: () => '' }).config
const CA = { ASSAY_INTEL_PCCS_URL: 'https://pccs.example:8081' }

const keyFile = (text: string, mode = 0o600): string => {
  const path = files.write('api-key', text)
  chmodSync(path, mode)
  return path
}

describe('the authority of a caching service', () => {
  it('is read as it is written, and none where none is named', () => {
    const text = pem(fakeIntel().authority('root').der)
    const { intel } = config({ ...CA, ASSAY_INTEL_PCCS_CA: files.write('ca.pem', text) })
    expect(readAuthority(intel)).toBe(text)
    expect(readAuthority(config(CA).intel)).toBeUndefined()
  })

  it.each([
    ['nothing', ''],
    ['something else', 'hello'],
    ['a broken certificate', '-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n'],
  ])('is refused when the file holds %s', async (_, text) => {
    const named = config({ ...CA, ASSAY_INTEL_PCCS_CA: files.write('bad.pem', text) })
    expect(() => readAuthority(named.intel)).toThrow(/PEM|asn1|ASN/i)
    expect(await fileProblems(named)).toEqual([expect.objectContaining({ path: 'intel_pccs_ca' })])
  })
})

describe('the subscription key', () => {
  it('is read without the line end', async () => {
    expect(await readApiKey(config({ ASSAY_INTEL_PCS_API_KEY_FILE: keyFile('0123abcd\n') }).intel)).toBe('0123abcd')
    expect(await readApiKey(config({}).intel)).toBeUndefined()
  })

  it.each([
    ['is empty', '', 0o600],
    ['holds several lines', 'a\nb', 0o600],
    ['can be read by others', 'hunter2hunter2', 0o644],
  ])('is refused when the file %s, without telling the content', async (_, text, mode) => {
    const named = config({ ASSAY_INTEL_PCS_API_KEY_FILE: keyFile(text, mode) })
    const [problem] = await fileProblems(named)
    expect(problem?.path).toBe('intel_pcs_api_key_file')
    expect(problem?.message).not.toContain('hunter2')
  })

  it('is refused when the file is not there', async () => {
    await expect(readApiKey(config({ ASSAY_INTEL_PCS_API_KEY_FILE: files.path('none') }).intel)).rejects.toThrow(
      /holds no subscription key/,
    )
  })
})
