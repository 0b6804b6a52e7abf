import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createHash, X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deriveKeys } from '../src/access/secrets.ts'
import { redisStores } from '../src/stores/redis.ts'
import { createLog } from '../src/telemetry/log.ts'
import { judgeTrust } from '../src/verifiers/tpm/trust/judge.ts'
import {
  answerOf,
  BEGIN,
  begunOf,
  enrolmentLab,
  FINISH,
  finishedOf,
  labAuthority,
  labTpm,
  refusedWith,
  requestOf,
  SETTINGS,
  type EnrolmentLab,
} from './enrolment-lab.ts'
import { redisPresent, startRedis, type RedisServer } from './redis-server.ts'
import { startSwtpm, swtpmPresent, type AkSpec, type EkName, type Swtpm } from './swtpm.ts'
import { anchorFor, anchorsWith, contextWith, NO_COLLATERAL, spkiOf } from './tpm-trust-lab.ts'

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'))

const realTime = (): Date => new Date()

const AKS: readonly AkSpec[] = [
  { under: 'rsa', algorithm: 'rsa', hash: 'sha256', scheme: 'rsassa' },
  { under: 'p384', algorithm: 'ecc384', hash: 'sha384', scheme: 'ecdsa' },
  { under: 'p256', algorithm: 'ecc', hash: 'sha256', scheme: 'ecdsa' },
]

describe.skipIf(!swtpmPresent())('a TPM in software', () => {
  let tpm: Swtpm
  let lab: EnrolmentLab
  beforeAll(async () => {
    tpm = await startSwtpm()
    await tpm.createP256Ek()
    lab = await labWith('allow')
  }, 60_000)
  afterAll(() => tpm.close())

  /** A service that trusts the root of this TPM's authority, at the time of this machine, as the certificates are. */
  const labWith = (softwareTpm: 'allow' | 'refuse') => {
    const sha256 = createHash('sha256').update(new X509Certificate(tpm.authority.root).raw).digest('hex')
    const anchors = anchorsWith({ roots: [anchorFor({ sha256 }, { manufacturers: ['00001014'] })] })
    return enrolmentLab({ others: 'DANGEROUSLY_ANY_GENUINE_TPM', softwareTpm }, { anchors, now: realTime })
  }
  const requestFor = async (ek: EkName, akPublic: Uint8Array, more: object = {}) => ({
    ek_certificate: base64(await tpm.ekCertificate(ek)),
    ek_chain: [tpm.authority.issuer, tpm.authority.root],
    ak_public: base64(akPublic),
    ...more,
  })

  it.each(AKS)(
    'is enrolled over HTTP ($under, $algorithm)',
    async (spec) => {
      const ak = await tpm.createAk(spec)
      const begun = begunOf(
        await lab.post(BEGIN, await requestFor(spec.under, ak.public, { ek_public: base64(await tpm.ekPublic(spec.under)) })),
      )
      expect(begun.ak_name).toBe(ak.name)
      const secret = base64(await tpm.activate(ak, bytes(begun.tpm2_tools_credential)))
      const { ak_certificate: pem, basis } = finishedOf(await lab.post(FINISH, { state: begun.state, secret }))
      expect(basis).toBe('any')
      const certificate = new X509Certificate(pem)
      const judged = judgeTrust({
        akPublic: { name: ak.name, spki: spkiOf(certificate.publicKey) },
        certificates: [certificate.raw],
        anchors: lab.services.anchors,
        collateral: NO_COLLATERAL,
        context: contextWith({}, { mode: 'test', now: new Date() }),
      })
      expect(judged.trust).toMatchObject({ model: 'ek-activation', ek: { basis: 'any', public_key_sha256: begun.ek_public_key_sha256 } })
    },
    60_000,
  )

  it('does not open what was made for a key that it does not hold', async () => {
    const [spec] = AKS
    if (spec === undefined) throw new Error('no key')
    const ak = await tpm.createAk(spec)
    const begun = begunOf(await lab.post(BEGIN, await requestFor('rsa', labTpm().ak.area)))
    await expect(tpm.activate(ak, bytes(begun.tpm2_tools_credential))).rejects.toThrow('integrity')
  }, 60_000)

  it('is refused as a program unless the operator says otherwise', async () => {
    const strict = await labWith('refuse')
    expect(refusedWith(await strict.post(BEGIN, await requestFor('p384', labTpm().ak.area)))).toBe(
      '403 tpm-software-tpm-not-allowed TPM-30',
    )
  }, 60_000)

  it('does not pass with the public area of another of its keys', async () => {
    const other = base64(await tpm.ekPublic('rsa'))
    expect(refusedWith(await lab.post(BEGIN, await requestFor('p384', labTpm().ak.area, { ek_public: other })))).toBe(
      '422 tpm-ek-public-mismatch TPM-27',
    )
  }, 60_000)
})

describe.skipIf(!redisPresent())('replicas that share Redis', () => {
  let redis: RedisServer
  const folder = mkdtempSync(join(tmpdir(), 'assay-enrolment-'))
  beforeAll(async () => {
    redis = await startRedis()
  })
  afterAll(async () => {
    await redis.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('finish what another began, once among all', async () => {
    const secret = new Uint8Array(32).map((_, index) => index * 7)
    const tpm = labTpm()
    const enrolling = { settings: { ...SETTINGS, listed: [{ spkiSha256: tpm.spkiSha256 }] }, authority: labAuthority() }
    const keys = deriveKeys(secret, 'test')
    const connect = (name: string) =>
      redisStores({ url: redis.url, prefix: 'lab:', keys, mode: 'test', log: createLog('silent'), dataDir: join(folder, name) })
    const stores = [await connect('a'), await connect('b')]
    const [one, two] = await Promise.all(stores.map((store) => enrolmentLab({}, { secret, enrolling, stores: store, now: realTime })))
    if (one === undefined || two === undefined) throw new Error('no replicas')
    const begun = begunOf(await one.post(BEGIN, requestOf(tpm)))
    const answers = await Promise.all([one, two, one, two].map((replica) => replica.post(FINISH, answerOf(tpm, begun))))
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422, 422, 422])
    expect(refusedWith(await two.post(FINISH, answerOf(tpm, begun)))).toBe('422 tpm-activation-replayed TPM-29')
    await Promise.all(stores.map((store) => store.close()))
  })
})
