import { hash } from 'node:crypto'
import type { TokenProfile } from '../access/audiences.ts'
import type { Answer, Call, Handler } from './call.ts'
import { hasSeen } from './etag.ts'

type Page = { readonly body: string; readonly etag: string; readonly type: string }

let page: Promise<Page> | undefined
let schema: Promise<Page> | undefined

/** GET /openapi.yaml: generated on the first request, because its machinery costs more start-up time than all other routes together. */
export const contract: Handler = async (call) => {
  page ??= generated()
  return answerOf(await page, call)
}

/** GET /schemas/policy.json: the JSON Schema of a policy document, for editors and checks before anything is sent. */
export const policyDocumentSchema: Handler = async (call) => {
  schema ??= generatedSchema()
  return answerOf(await schema, call)
}

const tokenSchemas = new Map<TokenProfile, Promise<Page>>()

/** GET /schemas/token-{profile}.json: the JSON Schema of what a token of the profile says. */
export const tokenSchema =
  (profile: TokenProfile): Handler =>
  async (call) => {
    const made = tokenSchemas.get(profile) ?? generatedTokenSchema(profile)
    tokenSchemas.set(profile, made)
    return answerOf(await made, call)
  }

async function generatedTokenSchema(profile: TokenProfile): Promise<Page> {
  const { tokenSchemaText } = await import('../tokens/schemas.ts')
  return pageOf(tokenSchemaText(profile), 'application/schema+json')
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

/** Whoever has this text is told so, and nothing else. */
function answerOf({ body, etag, type }: Page, call: Call): Answer {
  const headers = { 'cache-control': 'public, max-age=300', etag }
  if (hasSeen(call, etag)) return { status: 304, headers, body: '' }
  return { status: 200, headers: { 'content-type': type, ...headers }, body }
}
