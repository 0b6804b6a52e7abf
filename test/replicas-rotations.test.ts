import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify, type JWTVerifyGetKey } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rotationRequest } from '../src/tokens/key-keeper.ts'
import { attest } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { accepted } from './answers.ts'
import { redisPresent, startRedis, type RedisServer } from './redis-server.ts'
import { startService, startWorld, untilReady, type ServiceProcess, type World } from './service-process.ts'

/** `ASSAY_ROTATIONS=50` is what docs/reliability.md records. */
const ROTATIONS = Number(process.env['ASSAY_ROTATIONS'] ?? 3)
const REPLICAS = 3

const present = redisPresent()

type Replica = ServiceProcess & { readonly folder: string }

let world: World
let redis: RedisServer
const replicas: Replica[] = []

beforeAll(async () => {
  if (!present) return
  world = await startWorld()
  const secret = world.files.write('shared-secret', randomBytes(32).toString('base64url'))
  chmodSync(secret, 0o600)
  redis = await startRedis()
  const shared = { redis_url: redis.url, secret_file: secret, issuer: 'https://attest.assay.invalid' }
  // Keys live as long as they do with an hour of caches, three thousand times as fast.
  const quick = { jwks_max_age_seconds: 1, token_lifetime_seconds: 30, rate_limit: { requests: 1_000_000, per_seconds: 60 } }
  for (let nth = 0; nth < REPLICAS; nth += 1) {
    const folder = world.files.path(`replica-${nth}`)
    replicas.push({ ...(await startService(world, { ...world.settings, ...shared, ...quick, data_dir: folder })), folder })
  }
  await Promise.all(replicas.map(({ url }) => untilReady(url)))
})

afterAll(async () => {
  for (const { child, ended } of replicas) {
    child.kill('SIGKILL')
    await ended
  }
  if (!present) return
  await redis.close()
  await world.close()
})

/** A stock consumer that keeps a key set for exactly as long as its headers allow, and asks for no other meanwhile, whatever it meets. */
const warmConsumer = ({ url }: Replica): JWTVerifyGetKey =>
  createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`), { cacheMaxAge: 1_000, cooldownDuration: 1_000 })

type Seen = { readonly kids: Set<string>; readonly failures: string[]; tokens: number }

/** Attests to one replica until it is told to stop; every token is verified with what each replica publishes, out of caches and fresh. */
async function load(replica: Replica, seen: Seen, isOver: () => boolean): Promise<void> {
  const host = fakeHost(world.amd, { ships: 'nothing' })
  const warm = replicas.map(warmConsumer)
  while (!isOver()) {
    try {
      const { token } = accepted(await attest(host, { url: replica.url }))
      seen.tokens += 1
      seen.kids.add(decodeProtectedHeader(token).kid ?? '')
      await Promise.all(
        [...warm, ...replicas.map(warmConsumer)].map((keys) => jwtVerify(token, keys, { audience: 'default', typ: 'demo+JWT' })),
      )
    } catch (error) {
      seen.failures.push(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
    }
  }
}

describe.skipIf(!present)('three replicas with keys of their own', () => {
  it(
    `rotate them ${ROTATIONS} times under load, and nobody notices`,
    async () => {
      const seen: Seen = { kids: new Set(), failures: [], tokens: 0 }
      let isOver = false
      const loads = replicas.map((replica) => load(replica, seen, () => isOver))
      const wanted = replicas.map(({ folder }) => rotationRequest(folder))
      for (let nth = 0; nth < ROTATIONS; nth += 1) {
        for (const path of wanted) writeFileSync(path, '')
        await expect.poll(() => wanted.some((path) => existsSync(path)), { timeout: 10_000 }).toBe(false)
        // Until the new keys sign: a request that comes before would find that each key has a successor already.
        await setTimeout(2_600)
      }
      isOver = true
      await Promise.all(loads)
      process.stderr.write(`${ROTATIONS} rotations of ${REPLICAS} keys: ${seen.tokens} tokens of ${seen.kids.size} keys\n`)
      expect(seen.failures).toEqual([])
      expect(seen.kids.size).toBeGreaterThanOrEqual(REPLICAS * ROTATIONS)
    },
    60_000 + ROTATIONS * 15_000,
  )
})
