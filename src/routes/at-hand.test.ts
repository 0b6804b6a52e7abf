import { describe, expect, it } from 'vitest'
import { genuineOnly, type CollateralAddress, type RollbackMark } from '../verifiers/verifier.ts'
import { mayBeUndecided, type AtHand } from './at-hand.ts'

const LIST: CollateralAddress = 'amd/crl/Milan/vcek'
const now = new Date('2026-11-24T12:00:00Z')
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)

type Facts = {
  missing?: 'not-found' | 'unavailable'
  mark?: RollbackMark
  expires?: Date
  grace?: number
  needs?: readonly CollateralAddress[]
}

function atHand({ missing, mark, expires, grace = 0, needs = [LIST] }: Facts): AtHand {
  const only = <T>(value: T | undefined): ReadonlyMap<CollateralAddress, T> => new Map(value === undefined ? [] : [[LIST, value]])
  const collateral = { documents: new Map(), missing: only(missing), marks: only(mark) }
  const obtained = { collateral, fetchedAt: new Map(), expiresAt: only(expires), retryAfter: undefined }
  return { needs, obtained, rigour: { ...genuineOnly, snp: { ...genuineOnly.snp, crlGraceSeconds: grace } }, now }
}

describe('whether the verdict may be undecided', () => {
  it.each<[string, Facts, boolean]>([
    ['everything is there', { expires: inSeconds(3600), mark: { number: 1n, thisUpdate: now } }, false],
    ['nothing is needed', { needs: [], missing: 'unavailable' }, false],
    ['a document could not be had', { missing: 'unavailable' }, true],
    ['a document does not exist', { missing: 'not-found' }, false],
    ['a mark cannot be read', { mark: 'strictest' }, true],
    ['a list ends in 59 seconds', { expires: inSeconds(59) }, true],
    ['a list ends in 60 seconds', { expires: inSeconds(60) }, false],
    ['a list has ended', { expires: inSeconds(-1) }, true],
    ['a list has ended, within its grace', { expires: inSeconds(-1), grace: 120 }, false],
  ])('%s', (_, facts, expected) => {
    expect(mayBeUndecided(atHand(facts))).toBe(expected)
  })
})
