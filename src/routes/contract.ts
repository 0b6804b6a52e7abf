import type { Handler } from './call.ts'

/** GET /openapi.yaml: generated on the first request, because its machinery costs more start-up time than all other routes together. */
export const contract: Handler = async () => {
  const { contractText } = await import('./openapi/document.ts')
  return { status: 200, headers: { 'content-type': 'application/yaml', 'cache-control': 'public, max-age=300' }, body: contractText() }
}
