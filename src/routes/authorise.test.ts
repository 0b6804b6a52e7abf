import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { createCredentials } from '../access/credentials.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { authorise } from './authorise.ts'
import type { Access } from './call.ts'

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
const credentials = createCredentials([
  { name: 'watcher', role: 'viewer', tokenSha256: sha256('see') },
  { name: 'boss', role: 'admin', tokenSha256: sha256('rule') },
])

function outcome(access: Access, authorization: string | undefined): string {
  try {
    return authorise(access, authorization, credentials)?.name ?? 'nobody'
  } catch (error) {
    return error instanceof AttestationError ? error.code : String(error)
  }
}

describe('access to routes', () => {
  it.each<[Access, outcomes: string[]]>([
    ['public', ['nobody', 'nobody', 'nobody', 'nobody']],
    ['anyone', ['nobody', 'unauthenticated', 'watcher', 'boss']],
    ['viewer', ['unauthenticated', 'unauthenticated', 'watcher', 'boss']],
    ['admin', ['unauthenticated', 'unauthenticated', 'forbidden', 'boss']],
  ])('%s: none, wrong, viewer, admin', (access, outcomes) => {
    expect([undefined, 'Bearer guess', 'Bearer see', 'Bearer rule'].map((header) => outcome(access, header))).toEqual(outcomes)
  })
})
