import { describe, expect, it } from 'vitest'
import { genuineOnly, type CollateralAddress, type RollbackMark } from '../verifiers/verifier.ts'
import { mayBeUndecided, type AtHand } from './at-hand.ts'

const LIST: CollateralAddress = 'amd/crl/Milan/vcek'
const TCB_INFO: CollateralAddress = 'intel/tcb-info/tdx/00806f050000/standard'
const TPM_LIST: CollateralAddress = `tpm/crl/${'ab'.repeat(32)}`
const now = new Date('2026-11-24T12:00:00Z')
const inSeconds = (seconds: number) => new Date(now.getTime() + seconds * 1000)

type Facts = {
  missing?: 'not-found' | 'unavailable'
  mark?: RollbackMark
  expires?: Date
  grace?: number
  /** Of TDX and SGX. */
  intelGrace?: readonly [tdx: number, sgx: number]
  tpmGrace?: number
  address?: CollateralAddress
  needs?: readonly CollateralAddress[]
}

function atHand(facts: Facts): AtHand {
  const { missing, mark, expires, grace = 0, intelGrace: [tdx, sgx] = [0, 0], tpmGrace = 0, address = LIST, needs = [address] } = facts
  const only = <T>(value: T | undefined): ReadonlyMap<CollateralAddress, T> => new Map(value === undefined ? [] : [[address, value]])
  const collateral = { documents: new Map(), missing: only(missing), marks: only(mark) }
  const obtained = { collateral, fetchedAt: new Map(), expiresAt: only(expires), retryAfter: undefined }
  const rigour = {
    snp: { ...genuineOnly.snp, crlGraceSeconds: grace },
    tdx: { ...genuineOnly.tdx, collateralGraceSeconds: tdx },
    sgx: { ...genuineOnly.sgx, collateralGraceSeconds: sgx },
    tpm: { ...genuineOnly.tpm, crlGraceSeconds: tpmGrace },
  }
  return { needs, obtained, rigour, now }
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
    ['a document of Intel’s does not exist', { address: TCB_INFO, missing: 'not-found' }, true],
    ['a document of Intel’s is there', { address: TCB_INFO, expires: inSeconds(3600) }, false],
    ['one of Intel’s has ended, within AMD’s grace', { address: TCB_INFO, expires: inSeconds(-1), grace: 120 }, true],
    ['one of Intel’s has ended, within its grace', { address: TCB_INFO, expires: inSeconds(-1), intelGrace: [120, 120] }, false],
    ['one of Intel’s has ended, within the grace of TDX alone', { address: TCB_INFO, expires: inSeconds(-1), intelGrace: [120, 0] }, true],
    ['a list of a TPM’s maker does not exist', { address: TPM_LIST, missing: 'not-found' }, true],
    ['a list of a TPM’s maker has ended, within AMD’s grace', { address: TPM_LIST, expires: inSeconds(-1), grace: 120 }, true],
    ['a list of a TPM’s maker has ended, within its grace', { address: TPM_LIST, expires: inSeconds(-1), tpmGrace: 120 }, false],
    ['a list of AMD’s has ended, within the grace of TPMs', { expires: inSeconds(-1), tpmGrace: 120 }, true],
    ['a list has ended, within Intel’s grace', { expires: inSeconds(-1), intelGrace: [120, 120] }, true],
  ])('%s', (_, facts, expected) => {
    expect(mayBeUndecided(atHand(facts))).toBe(expected)
  })
})
