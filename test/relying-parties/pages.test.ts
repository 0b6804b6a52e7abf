import { globSync } from 'node:fs'
import { basename } from 'node:path'
import { describe, expect, it } from 'vitest'
import { audienceProblems } from '../../src/access/audiences.ts'
import { readPolicy } from '../../src/appraisal/read-policy.ts'
import { loadConfig } from '../../src/config.ts'
import { readPage, type PageName } from './pages.ts'

const NOT_RECIPES = ['README', 'claims']
const names = globSync('docs/relying-parties/*.md')
  .map((path) => basename(path, '.md'))
  .filter((name): name is PageName => !NOT_RECIPES.includes(name))

describe.each(names)('docs/relying-parties/%s.md', (name) => {
  const page = readPage(name)

  it('shows a configuration and a policy that Assay takes', () => {
    const { config } = loadConfig({ environment: { ASSAY_CONFIG: '/assay.yaml' }, readText: () => page.file('assay.yaml') })
    const policy = readPolicy(page.file('policy.yaml'), 'policy.yaml')
    const policies = {
      get: (asked: string) => (asked === policy.reference.name ? policy : undefined),
      all: () => [policy],
      shadow: () => undefined,
    }
    expect(audienceProblems(config.audiences, policies)).toEqual([])
  })

  it('says what is checked, what is not, and how to try it', () => {
    const headings = [...page.text.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading)
    expect(headings).toEqual(expect.arrayContaining(['Assay', 'What it checks', 'What it does not check', 'Try it']))
  })

  it('is in the index', () => expect(readPage('README').text).toContain(`(${name}.md)`))
})
