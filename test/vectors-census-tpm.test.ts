import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { folderOf, TPM_CASES } from './tpm-cases.ts'
import { vectorBytes, vectorJson, vectorPath, vectorsPresent } from './vectors.ts'

type Source = { readonly repo: string; readonly commit: string; readonly license: string }
type Entry = {
  readonly case: string
  readonly files: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>
  readonly source: Source
  readonly shows: string
}

const present = vectorsPresent()
const entries = present ? (vectorJson('tpm/MANIFEST.json') as { cases: readonly Entry[] }).cases : []
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Everything about one case that a census objects to. */
function faultsOf({ case: name, files, source, shows }: Entry): readonly string[] {
  const wrong = Object.entries(files).filter(([file, { sha256: digest, size }]) => {
    const bytes = vectorBytes(`tpm/${name}/${file}`)
    return sha256(bytes) !== digest || bytes.length !== size
  })
  const unlisted = readdirSync(vectorPath(`tpm/${name}`)).filter((file) => files[file] === undefined)
  return [
    ...wrong.map(([file]) => `${file} is not what the manifest lists`),
    ...unlisted.map((file) => `${file} is not listed`),
    ...([source.repo, source.commit, source.license].every((text) => text !== '')
      ? []
      : ['a source without repository, commit or licence']),
    ...(shows === '' ? ['does not say what it shows'] : []),
  ]
}

/** Cases without a quote of their own, and the tests that read them. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  'swtpm-attest-types': 'test/negative-matrix-tpm-quote.test.ts',
  'rust-keylime-sha1-quote': 'src/verifiers/tpm/vectors.test.ts',
  'swtpm-ek-rsa2048': 'src/verifiers/tpm/trust/vectors.test.ts',
  'swtpm-ek-ecc384': 'src/verifiers/tpm/trust/vectors.test.ts',
  'swtpm-ek-ecc256': 'src/verifiers/tpm/trust/vectors.test.ts',
  'ca-roots': 'src/verifiers/tpm/trust/vectors.test.ts',
  'ima-sig-keylime': 'src/verifiers/tpm/ima/vectors.test.ts',
  'ima-keylime-sha1': 'src/verifiers/tpm/ima/vectors.test.ts',
  'ima-keylime-sha512': 'src/verifiers/tpm/ima/vectors.test.ts',
  'ima-keylime-sm3_256': 'src/verifiers/tpm/ima/vectors.test.ts',
}

/** Cases of evidence that is verified elsewhere or not yet: reports of hypervisors, and logs of containers. */
const NOT_TPM: readonly string[] = ['azure-hcl-snp-old', 'cel-confidential-space-rtmr']

const names = entries.map((entry) => entry.case)
const isRun = (name: string): boolean => TPM_CASES.some((one) => folderOf(one) === name) || name.startsWith('eventlog-')

describe.skipIf(!present)('census of the TPM vectors', () => {
  it('every case is traced, unchanged, listed and says what it shows', () => {
    expect(entries.flatMap((entry) => faultsOf(entry).map((fault) => `${entry.case}: ${fault}`))).toEqual([])
  })

  it('every folder is a case and every case has its folder', () => {
    const folders = readdirSync(vectorPath('tpm'), { withFileTypes: true }).flatMap((one) => (one.isDirectory() ? [one.name] : []))
    expect(folders.toSorted()).toEqual(names.toSorted())
  })

  it('every case is run, or said not to be', () => {
    expect(names.filter((name) => !isRun(name)).toSorted()).toEqual([...Object.keys(ELSEWHERE), ...NOT_TPM].toSorted())
    expect(TPM_CASES.map(folderOf).filter((name) => !names.includes(name))).toEqual([])
    expect(names.length).toBe(40)
  })

  it.each(Object.entries(ELSEWHERE))('%s is read by %s', (name, file) => {
    expect(readFileSync(resolve(import.meta.dirname, '..', file), 'utf8')).toContain(name)
  })
})
