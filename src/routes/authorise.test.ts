import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCredentials } from '../access/credentials.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { admit } from './authorise.ts'
import type { Access } from './call.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const credentials = createCredentials([
  { name: 'watcher', roles: ['viewer'], tokenSha256: sha256('see') },
  { name: 'ci', roles: ['policy-author', 'enroller'], tokenSha256: sha256('write') },
  { name: 'boss', roles: ['admin'], tokenSha256: sha256('rule') },
])

type Counted = { readonly taken: string[]; readonly checked: string[] }

const counting = ({ taken, checked }: Counted) => ({
  take: async (from: string) => void taken.push(from),
  check: async (of: string) => void checked.push(of),
})

async function outcome(access: Access, authorization: string | undefined, counted: Counted = { taken: [], checked: [] }): Promise<string> {
  try {
    const caller = await admit({ access, prefix: 'net', authorization }, { credentials, rateLimits: counting(counted) })
    return caller?.name ?? 'nobody'
  } catch (error) {
    return error instanceof AttestationError ? error.code : String(error)
  }
}

describe('access to routes', () => {
  it.each<[Access, outcomes: string[]]>([
    ['public', ['nobody', 'nobody', 'nobody', 'nobody', 'nobody']],
    ['anyone', ['nobody', 'unauthenticated', 'watcher', 'ci', 'boss']],
    ['viewer', ['unauthenticated', 'unauthenticated', 'watcher', 'ci', 'boss']],
    ['policy-author', ['unauthenticated', 'unauthenticated', 'forbidden', 'ci', 'boss']],
    ['policy-activator', ['unauthenticated', 'unauthenticated', 'forbidden', 'forbidden', 'boss']],
    ['enroller', ['unauthenticated', 'unauthenticated', 'forbidden', 'ci', 'boss']],
    ['admin', ['unauthenticated', 'unauthenticated', 'forbidden', 'forbidden', 'boss']],
  ])('%s: none, wrong, viewer, author and enroller, admin', async (access, outcomes) => {
    const headers = [undefined, 'Bearer guess', 'Bearer see', 'Bearer write', 'Bearer rule']
    expect(await Promise.all(headers.map((header) => outcome(access, header)))).toEqual(outcomes)
  })
})

describe('allowances', () => {
  it.each([
    ['public', undefined, [], []],
    ['public', 'Bearer see', [], []],
    ['anyone', undefined, ['net'], []],
    ['viewer', undefined, ['net'], []],
    ['anyone', 'Bearer see', ['caller watcher'], ['guesses net']],
    ['admin', 'Bearer see', ['caller watcher'], ['guesses net']],
    ['anyone', 'Bearer guess', ['guesses net'], ['guesses net']],
    ['admin', 'nonsense', ['guesses net'], ['guesses net']],
  ] as const)('of a request to %s with %s: %j, after a look at %j', async (...[access, header, taken, checked]) => {
    const counted: Counted = { taken: [], checked: [] }
    await outcome(access, header, counted)
    expect(counted).toEqual({ taken, checked })
  })
})
