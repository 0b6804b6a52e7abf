import { hash } from 'node:crypto'
import type { Answer, Handler } from './call.ts'

type Page = { readonly body: string; readonly etag: string; readonly type: string }

let page: Promise<Page> | undefined
let schema: Promise<Page> | undefined

/** GET /openapi.yaml: generated on the first request, because its machinery costs more start-up time than all other routes together. */
export const contract: Handler = async (call) => {
  page ??= generated()
  return answerOf(await page, call.header('if-none-match'))
}

/** GET /schemas/policy.json: the JSON Schema of a policy document, for editors and checks before anything is sent. */
export const policyDocumentSchema: Handler = async (call) => {
  schema ??= generatedSchema()
  return answerOf(await schema, call.header('if-none-match'))
}

async function generated(): Promise<Page> {
  const { contractText } = await import('./openapi/document.ts')
  return pageOf(contractText(), 'application/yaml')
}

async function generatedSchema(): Promise<Page> {
  const { policySchemaText } = await import('../appraisal/json-schema.ts')
  return pageOf(policySchemaText(), 'application/schema+json')
}

const pageOf = (body: string, type: string): Page => ({ body, type, etag: `"${hash('sha256', body, 'base64url')}"` })

/** RFC 9110 section 13.1.2: whoever has this text is told so, and nothing else. */
function answerOf({ body, etag, type }: Page, known: string | undefined): Answer {
  const headers = { 'cache-control': 'public, max-age=300', etag }
  const tags = (known ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''))
  if (tags.includes(etag) || tags.includes('*')) return { status: 304, headers, body: '' }
  return { status: 200, headers: { 'content-type': type, ...headers }, body }
}
