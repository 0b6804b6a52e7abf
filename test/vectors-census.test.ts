import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { agrees, snpCases } from './snp-cases.ts'
import { vectorBytes, vectorJson, vectorPath, vectorsPresent } from './vectors.ts'

type Source = { readonly repo?: string; readonly path?: string; readonly commit?: string; readonly licence?: string }
type Entry = {
  readonly case: string
  readonly files?: Readonly<Record<string, { readonly sha256: string; readonly size: number }>>
  readonly sources?: readonly Source[]
  readonly vek?: { readonly sources?: readonly Source[] }
  readonly verification_time?: string
  readonly expected?: { readonly verdict?: string; readonly codes?: readonly string[] }
}

const entriesOf = (path: string): readonly Entry[] => (vectorJson(path) as { cases: readonly Entry[] }).cases
const present = vectorsPresent()
const real = present ? entriesOf('snp/MANIFEST.json') : []
const synthetic = present ? entriesOf('snp/_synthetic/MANIFEST.json') : []
const cases = present ? snpCases() : []

const foldersIn = (path: string): readonly string[] =>
  readdirSync(vectorPath(path), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .toSorted()
const sorted = (names: readonly string[]): readonly string[] => [...new Set(names)].toSorted()
const namesOf = (entries: readonly Entry[]): readonly string[] => entries.map((entry) => entry.case)
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const isTraced = ({ repo, path, commit, licence }: Source): boolean => [repo, path, commit, licence].every((text) => (text ?? '') !== '')
const isTracedThroughout = (sources: readonly Source[]): boolean => sources.length > 0 && sources.every(isTraced)
const sourcesOf = ({ sources = [], vek }: Entry): readonly Source[] => [...sources, ...(vek?.sources ?? [])]

/** Cases at a second date or in another form carry that behind their name. */
const base = (name: string): string => name.replace(/ (?:at \d{4}-\d\d-\d\d|as tsm|with its table)$/, '')

/** Everything about one case that a census objects to. */
function faultsOf(entry: Entry): readonly string[] {
  const { files = {}, expected, verification_time: at } = entry
  const wrong = Object.entries(files).filter(([file, { sha256: digest, size }]) => {
    const bytes = vectorBytes(`snp/${entry.case}/${file}`)
    return sha256(bytes) !== digest || bytes.length !== size
  })
  const unlisted = readdirSync(vectorPath(`snp/${entry.case}`)).filter((file) => files[file] === undefined)
  return [
    ...wrong.map(([file]) => `${file} is not what the manifest lists`),
    ...unlisted.map((file) => `${file} is not listed`),
    ...(isTracedThroughout(sourcesOf(entry)) ? [] : ['a source without repository, path, commit or licence']),
    ...faultsOfExpectation({ expected, at }),
  ]
}

function faultsOfExpectation({ expected, at }: { expected: Entry['expected']; at: string | undefined }): readonly string[] {
  const { verdict, codes = [] } = expected ?? {}
  const isStated = verdict === (codes.length > 0 ? 'fail' : 'pass')
  return [...(isStated ? [] : ['no verdict with its codes']), ...(Number.isNaN(Date.parse(at ?? '')) ? ['no time'] : [])]
}

describe.skipIf(!present)('census of the SNP vectors', () => {
  it('every real case is traced, unchanged, listed and says what is expected', () => {
    const faults = real.flatMap((entry) => faultsOf(entry).map((fault) => `${entry.case}: ${fault}`))
    expect(faults).toEqual([])
  })

  it('every synthetic case says what is expected', () => {
    const faults = synthetic.flatMap((entry) =>
      faultsOfExpectation({ expected: entry.expected, at: entry.verification_time }).map((fault) => `${entry.case}: ${fault}`),
    )
    expect(faults).toEqual([])
  })

  it('every folder is a case and every case has its folder', () => {
    expect(foldersIn('snp').filter((name) => !name.startsWith('_'))).toEqual(sorted(namesOf(real)))
    expect(foldersIn('snp/_synthetic').filter((name) => !name.startsWith('pki-'))).toEqual(sorted(namesOf(synthetic)))
  })

  it('every case of the manifests is run, in one of the classes that a test runs', () => {
    expect(sorted(cases.map(({ name }) => base(name)))).toEqual(sorted(namesOf([...real, ...synthetic])))
    const classes = Object.entries(Object.groupBy(cases, (vector) => vector.class)).map(([name, all]) => [name, all.length])
    expect(Object.fromEntries(classes)).toEqual({ 'structure-or-crypto': 137, crl: 9, policy: 36, certificate: 6 })
  })

  it('an answer agrees only with its verdict and one of its codes', () => {
    const failing = cases.filter(({ expected }) => expected.verdict === 'fail')
    expect(failing.filter((vector) => agrees(vector, 'pass', vector.expected.codes) || agrees(vector, 'fail', ['internal-error']))).toEqual(
      [],
    )
    expect(cases.filter((vector) => vector.expected.verdict === 'pass' && agrees(vector, 'fail', ['snp-chain-invalid']))).toEqual([])
  })
})
