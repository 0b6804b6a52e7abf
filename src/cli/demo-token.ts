import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import type { FleetResult } from './fleet-table.ts'
import { denseJson, styled, type Output } from './output.ts'

type Shown = {
  readonly url: string
  readonly issuer: string
  readonly results: readonly FleetResult[]
  readonly output: Output
}

/**
 * Shows one token as a relying party sees it: verified with nothing but the service's public keys. Returns the folder with the token and
 * the keys, from which the command that is shown verifies it, with the service or without.
 */
export async function showToken({ url, issuer, results, output }: Shown): Promise<string> {
  const token = results.find((result) => result.token !== undefined)?.token
  if (token === undefined) throw new Error('no host got a token')
  const address = new URL(`${url}/.well-known/jwks.json`)
  const expected = { issuer, audience: 'default', typ: 'demo+JWT' }
  const { payload, protectedHeader } = await jwtVerify(token, createRemoteJWKSet(address), expected)
  const folder = mkdtempSync(join(tmpdir(), 'assay-token-'))
  writeFileSync(join(folder, 'token.jwt'), token)
  writeFileSync(join(folder, 'jwks.json'), await (await fetch(address)).text())
  output.out(
    [
      '',
      styled('bold', `One token (${Buffer.byteLength(token)} bytes); its signature verifies with the service’s JWKS:`),
      denseJson(protectedHeader),
      denseJson(payload),
      '',
      styled('bold', 'The command that verifies it, without Assay, until it expires in five minutes:'),
      ...verifyCommand(folder, expected),
      '',
    ].join('\n'),
  )
  return folder
}

const verifyCommand = (folder: string, { issuer, audience, typ }: Readonly<Record<'issuer' | 'audience' | 'typ', string>>) => [
  `node --input-type=module -e "`,
  `import { readFileSync } from 'node:fs'`,
  `import { createLocalJWKSet, jwtVerify } from 'jose'`,
  `const read = (name) => readFileSync('${folder}/' + name, 'utf8')`,
  `const keys = createLocalJWKSet(JSON.parse(read('jwks.json')))`,
  `const expected = { typ: '${typ}', audience: '${audience}',`,
  `  issuer: '${issuer}' }`,
  `console.log((await jwtVerify(read('token.jwt'), keys, expected)).payload)"`,
]
