import { randomFillSync } from 'node:crypto'

/** One draw serves hundreds of names: a draw of its own costs each of them ten microseconds, whatever its length. */
const POOL_BYTES = 4096

const pool = Buffer.alloc(POOL_BYTES)
let used = POOL_BYTES

/** Random bytes that name something in public: challenges, appraisals, tokens. Never for keys. Handed out once, then forgotten. */
export function randomName(bytes: number): Buffer {
  if (used + bytes > POOL_BYTES) {
    randomFillSync(pool)
    used = 0
  }
  const name = Buffer.from(pool.subarray(used, used + bytes))
  pool.fill(0, used, used + bytes)
  used += bytes
  return name
}
