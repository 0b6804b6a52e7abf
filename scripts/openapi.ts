import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { policySchemaText } from '../src/appraisal/json-schema.ts'
import { contractText } from '../src/routes/openapi/document.ts'
import { TOKEN_PROFILES } from '../src/access/audiences.ts'
import { tokenSchemaText } from '../src/tokens/schemas.ts'
import { refusalsPage } from './refusals-page.ts'

/** Writes what derives from schemas and tables; test/openapi.test.ts and test/refusals.test.ts fail while any of it is stale. */
const files = {
  'openapi.yaml': contractText(),
  'docs/refusals.md': refusalsPage(),
  'docs/policy.schema.json': policySchemaText(),
  ...Object.fromEntries(TOKEN_PROFILES.map((profile) => [`docs/token-${profile}.schema.json`, tokenSchemaText(profile)])),
}
for (const [name, text] of Object.entries(files)) writeFileSync(resolve(import.meta.dirname, '..', name), text)
