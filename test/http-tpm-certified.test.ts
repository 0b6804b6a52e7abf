import { afterAll, describe, expect, it } from 'vitest'
import { instanceIdentity, type SimInstance } from '../src/simulator/tpm-gce.ts'
import { fakeTpmHost, type FakeTpmHost, type TpmChanges, type TpmHostOptions } from '../src/simulator/tpm-hosts.ts'
import { hostsOf, serviceFor, stopServices, tpms } from './tpm-service-lab.ts'

const { ask, verdict, claims } = hostsOf(await serviceFor([]))
/** The same where the cloud's authority is Google's. */
const google = await serviceFor([], 'google')
afterAll(stopServices)

const instance = (): FakeTpmHost => fakeTpmHost(tpms, { certified: 'by-cloud' })

describe('a key that a cloud certified', () => {
  it('is accepted under the cloud’s root, and only with its own certificate', async () => {
    const [host, other] = [instance(), instance()]
    expect(await claims(host)).toMatchObject({ ak_trust: 'ak-cert', ek: null, gce: null })
    const certificates = other.evidence(new Uint8Array(32)).ak_certificates ?? []
    host.adopt(certificates)
    expect(await verdict(host)).toBe('tpm-ak-cert-key-mismatch')
  })

  it('is not of another authority than the policy names', async () => {
    expect(await verdict(instance(), { policy: 'google' })).toBe('tpm-ak-untrusted')
  })
})

const certified = (about: Partial<SimInstance> = {}, options: TpmHostOptions = {}): FakeTpmHost =>
  fakeTpmHost(tpms, { certified: 'by-cloud', place: 'primary', certificate: { more: [instanceIdentity(about)] }, ...options })

describe('an instance whose certificate tells what it is', () => {
  it('is believed under the authority whose word that is', async () => {
    const found = await claims(certified(), { policy: 'google' }, google)
    expect(found.gce).toMatchObject({ project_id: 'shop', zone: 'simulated-1a', instance_id: '17293822569102704641' })
  })

  it.each<[string, FakeTpmHost, string]>([
    ['another project', certified({ projectId: 'other' }), 'tpm-gce-identity-not-allowed'],
    ['no production', certified({ production: 'no' }), 'tpm-gce-not-production'],
    ['neither', certified({ production: 'unsaid' }), 'tpm-gce-not-production'],
    ['a negative number', certified({ instanceId: -1n }), 'tpm-gce-identity-invalid'],
    ['nothing', certified({}, { certificate: {} }), 'tpm-gce-identity-not-allowed'],
  ])('is refused where it tells of %s', async (...[, host, code]) => {
    expect(await verdict(host, { policy: 'google' }, google)).toBe(code)
  })

  it('is of a key that is no other’s child', async () => {
    const below = certified({}, { place: 'below-ek' })
    expect(await verdict(below, { policy: 'google' }, google)).toBe('tpm-qualified-signer-mismatch')
  })

  it('is not believed under any other', async () => {
    expect(await verdict(certified())).toBe('tpm-gce-identity-invalid')
  })
})

describe('a host whose files are measured', () => {
  const FILES = [{ path: '/usr/bin/shop', content: 'the content of /usr/bin/shop' }]
  const host = fakeTpmHost(tpms, { files: FILES, certified: 'by-cloud' })
  const ima = { policy: 'fleet-ima' }

  it('is accepted with a growing list, continued by its state, until it runs what nobody listed', async () => {
    const first = await ask(host, ima)
    expect(first.status).toBe(201)
    host.run({ path: '/usr/bin/bash', content: 'the content of /usr/bin/bash' })
    const state = String(Object(first.body).ima_state)
    const continued: TpmChanges = {
      item: (item) => ({
        ...item,
        ima_log: Buffer.from(
          Buffer.from(item.ima_log ?? '', 'base64')
            .toString()
            .split('\n')
            .slice(2)
            .join('\n'),
        ).toString('base64'),
        ima_state: state,
      }),
    }
    expect((await claims(host, { ...ima, fields: continued })).ima).toMatchObject({ attested_entries: 3, continued: true })
    const stranger = fakeTpmHost(tpms, { files: FILES, certified: 'by-cloud' })
    expect(await verdict(stranger, { ...ima, fields: continued })).toBe('tpm-ima-state-stale')
    host.run({ path: '/tmp/shell', content: 'somebody’s own' })
    expect([await verdict(host, ima), await verdict(host, { ...ima, fields: continued })]).toEqual([
      'tpm-ima-not-allowed',
      'tpm-ima-not-allowed',
    ])
    host.reboot()
    expect(await verdict(host, { ...ima, fields: continued })).toBe('tpm-ima-state-stale')
    expect(await verdict(host, ima)).toBe('issued')
  })

  it('must tell all of it', async () => {
    const cut: TpmChanges = {
      item: (item) => {
        const { ima_log: _, ...rest } = item
        return rest
      },
    }
    const shorter: TpmChanges = {
      item: (item) => ({
        ...item,
        ima_log: Buffer.from(
          Buffer.from(item.ima_log ?? '', 'base64')
            .toString()
            .split('\n')[0] ?? '',
        ).toString('base64'),
      }),
    }
    expect([await verdict(host, { ...ima, fields: cut }), await verdict(host, { ...ima, fields: shorter })]).toEqual([
      'tpm-ima-missing',
      'tpm-ima-replay-mismatch',
    ])
  })
})
