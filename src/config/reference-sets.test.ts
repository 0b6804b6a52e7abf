import { rmSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { tempFiles, type Files } from '../../test/cli.ts'
import { digestOf, setText } from '../../test/reference-sets.ts'
import { valuesAt } from '../appraisal/reference-values.ts'
import { ConfigError, type ConfigProblem } from '../config.ts'
import { referenceFolder } from './reference-sets.ts'

let files: Files
beforeEach(() => {
  files = tempFiles()
})
afterEach(() => files.remove())

const read = () => referenceFolder(files.path('.'))()

function problems(): readonly ConfigProblem[] {
  try {
    read()
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
  throw new Error('the folder was accepted')
}

describe('referenceFolder', () => {
  it('has no sets where there is no folder', () => {
    expect(referenceFolder(undefined)()).toEqual(new Map())
  })

  it('takes every file as a version of its set, and nothing else', () => {
    files.write('a.yaml', setText([1], { standing: { state: 'active' } }))
    files.write('b.json', setText([2], { version: 2, standing: { state: 'active' } }))
    files.write('c.yml', setText([3], { name: 'other' }))
    files.write('.d.yaml', 'hidden')
    files.write('README.md', 'words')
    const sets = read()
    expect([...sets].map(([name, versions]) => [name, versions.map(({ version, standing }) => `${version} ${standing.state}`)])).toEqual([
      ['nodes', ['1 active', '2 active']],
      ['other', ['1 draft']],
    ])
    expect(sets.get('nodes')?.map(({ document }) => document && valuesAt(document, 'snp.measurements'))).toEqual([
      [digestOf(1)],
      [digestOf(2)],
    ])
  })

  it('names everything that is wrong in all files', () => {
    files.write('a.yaml', 'name: nodes\nowner: me\nsnp:\n  measurements: [aa]\n')
    files.write('b.yaml', 'name: [')
    expect(problems().map(({ origin, path }) => `${origin} ${path}`)).toEqual(
      expect.arrayContaining([`${files.path('a.yaml')}:4 snp.measurements[0]`, `${files.path('b.yaml')}:1 (document)`]),
    )
  })

  it('refuses two files that are one version of one set', () => {
    files.write('a.yaml', setText([1]))
    files.write('b.yaml', setText([2]))
    expect(problems()).toEqual([
      expect.objectContaining({ origin: files.path('b.yaml'), message: 'another file holds version 1 of nodes, too' }),
    ])
  })

  it('refuses a folder that is not there', () => {
    expect(() => referenceFolder(files.path('nowhere'))()).toThrow(ConfigError)
  })

  it('reads a changed file anew, and one that is gone no more', () => {
    const reader = referenceFolder(files.path('.'))
    files.write('a.yaml', setText([1]))
    files.write('b.yaml', setText([2], { version: 2 }))
    const before = reader()
    files.write('a.yaml', setText([3]))
    const after = reader()
    expect(after.get('nodes')?.[0]?.sha256).not.toBe(before.get('nodes')?.[0]?.sha256)
    expect(after.get('nodes')?.[1]).toBe(before.get('nodes')?.[1])
    rmSync(files.path('a.yaml'))
    expect(reader().get('nodes')).toHaveLength(1)
  })
})
