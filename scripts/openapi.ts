import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { contractText } from '../src/routes/openapi/document.ts'

/** Writes openapi.yaml from the schemas; test/openapi.test.ts fails while it is stale. */
writeFileSync(resolve(import.meta.dirname, '../openapi.yaml'), contractText())
