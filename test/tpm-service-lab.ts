import { expect } from 'vitest'
import { createApp } from '../src/app.ts'
import { attest, type AttestAnswer, type AttestOptions, type AttestTarget } from '../src/simulator/attest.ts'
import { FLEET_POLICIES } from '../src/simulator/fleet.ts'
import { SIM_BOOT_AUTHORITY } from '../src/simulator/tpm-boot.ts'
import { enrolHost, type EnrolmentChanges } from '../src/simulator/tpm-enrolment.ts'
import type { FakeTpmHost, TpmChanges } from '../src/simulator/tpm-hosts.ts'
import { fakeTpms } from '../src/simulator/tpm.ts'
import { anchorsOf } from '../src/verifiers/anchors.ts'
import { accepted } from './answers.ts'
import { labAuthority, SETTINGS } from './enrolment-lab.ts'
import { fetchOf, testServices } from './services.ts'

/** Who made the TPMs of tests, and the cloud that certified some keys. */
export const tpms = fakeTpms()

/** A value that must be there. */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('a value is missing')
  return value
}

const authority = labAuthority()

const SERVERS = {
  ek: { bases: ['listed'] },
  secure_boot: { enabled: 'require', authorities: [SIM_BOOT_AUTHORITY] },
  clock: { compare_to_previous: 'yes' },
} as const
const policy = (name: string, tpm: object) => ({ name, tpm: { ...SERVERS, ...tpm } })
const POLICIES = [
  policy('servers', {}),
  policy('vouched', { ek: { bases: ['enroller'] } }),
  policy('never-off', { clock: { compare_to_previous: 'yes', reboot: 'refuse' } }),
  policy('safe', { clock: { safe: 'require' } }),
  policy('google', { authorities: ['google'], gce: { project_ids: ['shop'] } }),
  ...FLEET_POLICIES,
]
const AUDIENCE = {
  name: 'fleet',
  policies: POLICIES.map(({ name }) => name),
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce: 'refuse',
} as const

const stops: (() => Promise<void>)[] = []

/** Ends every service that a test started. */
export async function stopServices(): Promise<void> {
  for (const stop of stops.splice(0)) await stop()
}

/** A service that lists these TPMs; all of them have one authority for attestation keys, as replicas do. */
export async function serviceFor(listed: readonly FakeTpmHost[], cloud?: string): Promise<AttestTarget> {
  const settings = { ...SETTINGS, listed: listed.map(({ tpm }) => ({ spkiSha256: tpm.ekSpkiSha256 })) }
  const fixture = await testServices({
    anchors: anchorsOf([], [], tpms.anchors(cloud)),
    enrolling: { settings, authority },
    now: () => new Date(),
    policies: POLICIES,
    audiences: [AUDIENCE],
  })
  stops.push(fixture.stop)
  return { url: 'http://assay.invalid', audience: 'fleet', fetch: fetchOf(createApp(fixture.services)) }
}

type Asked = Omit<AttestOptions<TpmChanges>, 'url'>

/** The code of a refusal, or `good`. */
const outcome = ({ status, body }: AttestAnswer, good: string): string => (status === 201 ? good : String(Object(body).code))

/** What hosts ask a service, by policy `servers` unless told otherwise, and what becomes of it. */
export function hostsOf(service: AttestTarget) {
  const ask = (host: FakeTpmHost, options: Asked = {}, target = service) => attest(host, { ...target, policy: 'servers', ...options })
  return {
    ask,
    /** `issued`, or the code of a refusal. */
    verdict: async (...args: Parameters<typeof ask>) => outcome(await ask(...args), 'issued'),
    /** `enrolled`, or the code of a refusal. */
    enrolment: async (host: FakeTpmHost, changes: EnrolmentChanges = {}) => outcome(await enrolHost(host, service, changes), 'enrolled'),
    /** The host, which must get its certificate. */
    enrolled: async (host: FakeTpmHost): Promise<FakeTpmHost> => {
      expect((await enrolHost(host, service)).status).toBe(201)
      return host
    },
    /** What the TPM claims, which must be accepted. */
    claims: async (...args: Parameters<typeof ask>) => {
      const [item] = accepted(await ask(...args)).appraisal.evidence
      return present(item?.claims.tpm)
    },
  }
}
