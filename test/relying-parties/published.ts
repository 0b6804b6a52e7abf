import { globSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { gunzipSync } from 'node:zlib'

const PACKAGES = resolve(import.meta.dirname, '../../.programs/lib/python3*/site-packages')

/** Descriptions of interfaces, in packages of their makers. */
const DESCRIPTIONS = {
  'AWS IAM': 'botocore/data/iam/*/service-2.json.gz',
  'AWS STS': 'botocore/data/sts/*/service-2.json.gz',
  'Google IAM': 'googleapiclient/discovery_cache/documents/iam.v1.json',
} as const

/** A description that a maker publishes; undefined where `npm run recipes` has not got it: the test that needs it is skipped, and a line says so. In CI its absence fails. */
export function published(name: keyof typeof DESCRIPTIONS): unknown {
  const [path] = globSync(`${PACKAGES}/${DESCRIPTIONS[name]}`)
  if (path !== undefined) {
    const bytes = readFileSync(path)
    return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString())
  }
  if (process.env['CI'] === 'true') throw new Error(`CI needs the description of ${name} in .programs`)
  process.stderr.write(`the description of ${name} is not there: the recipe is not held against it (npm run recipes gets it)\n`)
  return undefined
}
