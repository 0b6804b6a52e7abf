/** Fails when a dependency is not exact, or one of the service is not explained in docs/dependencies.md, not freely licensed, or too many. */
import { existsSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const MOST = 28
const LICENCES = new Set(['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', '0BSD', 'BlueOak-1.0.0'])

const read = (path: string): string => (existsSync(path) ? readFileSync(path, 'utf8') : '')
const versions = z.record(z.string(), z.string()).default({})
const manifest = z.object({ dependencies: versions, devDependencies: versions, license: z.string().default('none') })
const manifestOf = (path: string): z.infer<typeof manifest> => manifest.parse(JSON.parse(read(path) || '{}'))

const reasons = read('docs/dependencies.md')
const own = manifestOf('package.json')
const dependencies = Object.entries(own.dependencies)

const inexact = ([name, version]: readonly [string, string]): readonly string[] =>
  /^\d+\.\d+\.\d+$/.test(version) ? [] : [`${name}: ${version} is not an exact version`]

/** What is wrong with one dependency of the service, in words. */
function complaints([name]: readonly [string, string]): readonly string[] {
  const licence = manifestOf(`node_modules/${name}/package.json`).license
  return [
    ...(reasons.includes(`\`${name}\``) ? [] : [`${name}: docs/dependencies.md does not say what it is for`]),
    ...(LICENCES.has(licence) ? [] : [`${name}: licence ${licence} is not on the list`]),
    ...(existsSync(`node_modules/${name}/binding.gyp`) ? [`${name}: is a native addon`] : []),
  ]
}

const wrong = [
  ...[...dependencies, ...Object.entries(own.devDependencies)].flatMap(inexact),
  ...dependencies.flatMap(complaints),
  ...(dependencies.length > MOST ? [`${dependencies.length} dependencies, at most ${MOST}`] : []),
]
for (const line of wrong) process.stdout.write(`${line}\n`)
if (dependencies.length === 0) process.stdout.write('no dependency was seen\n')
process.exitCode = wrong.length > 0 || dependencies.length === 0 ? 1 : 0
