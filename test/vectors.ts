import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'

/** Where the vectors are: never inside the project. */
const VECTORS = resolve(process.env['ASSAY_VECTORS'] ?? resolve(import.meta.dirname, '../../shared/vectors'))

/**
 * Whether the vectors can be read. With CI=true their absence is a failure; elsewhere the caller skips,
 * and this line says so.
 */
export function vectorsPresent(): boolean {
  if (existsSync(VECTORS)) return true
  if (process.env['CI'] === 'true') throw new Error(`CI needs the vectors; set ASSAY_VECTORS (looked in ${VECTORS})`)
  process.stderr.write(`vectors not found in ${VECTORS}: the tests that read them are skipped (set ASSAY_VECTORS)\n`)
  return false
}

/** The bytes of one vector file. */
export const vectorBytes = (path: string): Uint8Array => new Uint8Array(readFileSync(resolve(VECTORS, path)))

/** The absolute path of one vector file. */
export const vectorPath = (path: string): string => resolve(VECTORS, path)

/** Whether one vector file exists. */
export const vectorExists = (path: string): boolean => existsSync(resolve(VECTORS, path))

/** The parsed text of one JSON vector file. */
export const vectorJson = (path: string): unknown => JSON.parse(readFileSync(resolve(VECTORS, path), 'utf8'))
