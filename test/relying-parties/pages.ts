import { readFileSync } from 'node:fs'

/** Pages of docs/relying-parties. */
export type PageName = 'README' | 'kubernetes' | 'vault' | 'aws' | 'gcp' | 'entra' | 'envoy' | 'nginx' | 'spire'

/** A page with the files that it shows. */
export type Page = {
  readonly text: string
  /** The text of the block behind `<!-- file: NAME -->`. */
  readonly file: (name: string) => string
}

/** Reads a page. Its blocks are what tests run: there is no second copy of them. */
export function readPage(name: PageName): Page {
  const text = readFileSync(new URL(`../../docs/relying-parties/${name}.md`, import.meta.url), 'utf8')
  const files = new Map([...text.matchAll(/<!-- file: (\S+) -->\n\n```\w*\n([^]*?)```/g)].map(([, file = '', block = '']) => [file, block]))
  return {
    text,
    file: (wanted) => {
      const found = files.get(wanted)
      if (found === undefined) throw new Error(`${name}.md shows no file ${wanted}`)
      return found
    },
  }
}

/** What stands on pages for something that a reader must put in, and tests do, too. */
export const EXAMPLE = {
  issuer: 'https://assay.example',
  /** The digest of the page's policy, as `assay policy lint` tells it. */
  digest: '3f6b0a4d5c7e8192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f80912',
} as const
