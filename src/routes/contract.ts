import { hash } from 'node:crypto'
import type { Answer, Handler } from './call.ts'

type Page = { readonly body: string; readonly etag: string }

let page: Promise<Page> | undefined

/** GET /openapi.yaml: generated on the first request, because its machinery costs more start-up time than all other routes together. */
export const contract: Handler = async (call) => {
  page ??= generated()
  return answerOf(await page, call.header('if-none-match'))
}

async function generated(): Promise<Page> {
  const { contractText } = await import('./openapi/document.ts')
  const body = contractText()
  return { body, etag: `"${hash('sha256', body, 'base64url')}"` }
}

/** RFC 9110 section 13.1.2: whoever has this text is told so, and nothing else. */
function answerOf({ body, etag }: Page, known: string | undefined): Answer {
  const headers = { 'cache-control': 'public, max-age=300', etag }
  const tags = (known ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (tags.includes(etag) || tags.includes('*')) return { status: 304, headers, body: '' }
  return { status: 200, headers: { 'content-type': 'application/yaml', ...headers }, body }
}
