/** What the machine can do at most, measured in the same run as everything else: every other number is read as a share of these. */
import { spawnSync } from 'node:child_process'
import { generateKeyPairSync, sign, verify } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { cpuSeconds, median } from './measure.ts'

/** What `openssl speed` calls each kind of key, and how the line of its totals begins. */
const SPEED = {
  'P-256': { name: 'ecdsap256', totals: '+F4:' },
  'P-384': { name: 'ecdsap384', totals: '+F4:' },
  'RSA-2048': { name: 'rsa2048', totals: '+F2:' },
} as const

/** Verifications per second of OpenSSL on all cores at once. */
export function opensslCeiling(key: keyof typeof SPEED, seconds: number): number {
  const cores = String(availableParallelism())
  const { name, totals } = SPEED[key]
  const run = spawnSync('openssl', ['speed', '-mr', '-seconds', String(seconds), '-multi', cores, name], { encoding: 'utf8' })
  // Machine-readable totals: +F4:<row>:<bits>:<sign per op>:<verify per op>; per-op seconds or rates by version of OpenSSL.
  const row = run.stdout.split('\n').findLast((line) => line.startsWith(totals))
  const last = Number(row?.split(':').at(-1))
  if (!Number.isFinite(last) || last <= 0) throw new Error(`openssl speed gave no number: ${run.stderr.slice(-200)}`)
  return last < 1 ? 1 / last : last
}

/** CPU microseconds of one operation in this process: median of `rounds` batches. */
function cpuMicros(operation: () => void, rounds: number, batch: number): number {
  for (let i = 0; i < 50; i++) operation()
  return median(
    Array.from({ length: rounds }, () => {
      const before = cpuSeconds()
      for (let i = 0; i < batch; i++) operation()
      return ((cpuSeconds() - before) / batch) * 1e6
    }),
  )
}

/** CPU microseconds of one operation each. */
type PublicKeyMicros = { readonly p384Verify: number; readonly p256Verify: number; readonly p256Sign: number; readonly rsaVerify: number }

/** CPU microseconds of the public-key operations that one appraisal makes, each measured alone with the keys at hand. */
export function publicKeyMicros(rounds: number): PublicKeyMicros {
  const body = new Uint8Array(672).fill(7)
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const p256 = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const report = sign('sha384', body, { key: p384.privateKey, dsaEncoding: 'ieee-p1363' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const proof = sign('sha256', body, p256.privateKey)
  const quote = sign('sha256', body, rsa.privateKey)
  return {
    p384Verify: cpuMicros(() => void verify('sha384', body, { key: p384.publicKey, dsaEncoding: 'ieee-p1363' }, report), rounds, 400),
    p256Verify: cpuMicros(() => void verify('sha256', body, p256.publicKey, proof), rounds, 2000),
    rsaVerify: cpuMicros(() => void verify('sha256', body, rsa.publicKey, quote), rounds, 3000),
    p256Sign: cpuMicros(() => void sign('sha256', body, p256.privateKey), rounds, 4000),
  }
}
