import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root })
const text = (path: string): string => readFileSync(join(root, path), 'utf8')

/** Headings as an address names them: small letters, dashes for blanks, nothing else. */
const anchors = (page: string): readonly string[] =>
  [...text(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-'),
  )

/** Links of a page to what is kept beside it. */
const linksOf = (page: string): readonly string[] =>
  [...text(page).matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => (/^[a-z]+:/.test(link) ? [] : [link]))

function leadsSomewhere(page: string, link: string): boolean {
  const [path = '', anchor] = link.split('#')
  const target = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, target))) return false
  return anchor === undefined || (target.endsWith('.md') && anchors(target).includes(anchor))
}

/** Pages that the index of a page's folder names. */
const indexed = (page: string): readonly string[] =>
  linksOf(join(dirname(page), 'README.md')).map((link) => join(dirname(page), link.split('#')[0] ?? ''))

describe('links of the documentation', () => {
  it('are looked for', () => expect(pages.flatMap(linksOf).length).toBeGreaterThan(80))

  it.each(pages)('of %s lead somewhere', (page) => {
    expect(linksOf(page).filter((link) => !leadsSomewhere(page, link))).toEqual([])
  })

  it('reach every page from docs/README.md or the index of its folder', () => {
    const hidden = pages.filter((page) => page.startsWith('docs/') && !page.endsWith('README.md') && !indexed(page).includes(page))
    expect(hidden).toEqual([])
  })
})
