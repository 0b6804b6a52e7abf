import { decodeJwt } from 'jose'
import { afterAll, describe, expect, it } from 'vitest'
import { grubBoot, SIM_BOOT } from '../src/simulator/tpm-boot.ts'
import type { AttestFields } from '../src/simulator/tpm-bytes.ts'
import { enrolHost, type EnrolmentChanges } from '../src/simulator/tpm-enrolment.ts'
import { fakeTpmHost, type FakeTpmHost, type TpmChanges } from '../src/simulator/tpm-hosts.ts'
import { digestIn, tcg2Log, utf8 } from '../src/simulator/tpm-log.ts'
import type { AkChoice, EkChoice } from '../src/simulator/tpm-machine.ts'
import { accepted } from './answers.ts'
import { TOKENS } from './services.ts'
import { hostsOf, present, serviceFor, stopServices, tpms } from './tpm-service-lab.ts'

const HOSTS: readonly [ek: EkChoice, ak: AkChoice][] = [
  ['rsa-2048', 'rsassa'],
  ['ecc-p256', 'rsapss'],
  ['ecc-p256', 'ecdsa-p256'],
  ['ecc-p384', 'ecdsa-p384'],
]
const hosts = HOSTS.map(([ek, ak]) => fakeTpmHost(tpms, { ek, ak }))
/** Each test that turns a clock has a host of its own. */
const fresh: FakeTpmHost[] = []
for (let made = 0; made < 8; made += 1) fresh.push(fakeTpmHost(tpms))
const two = fakeTpmHost(tpms, { banks: ['sha256', 'sha384'] })

const service = await serviceFor([...hosts, ...fresh, two])
const { ask, verdict, enrolment, enrolled, claims } = hostsOf(service)
afterAll(stopServices)

const takeFresh = (): FakeTpmHost => present(fresh.pop())

describe('a host with a TPM', () => {
  it.each(hosts.map((host, at) => [...present(HOSTS[at]), host] as const))(
    'with EK %s and AK %s leads from enrolment to a token',
    async (...[, , host]) => {
      const found = await claims(await enrolled(host))
      expect(found).toMatchObject({
        ak_trust: 'ek-activation',
        ak: { name: Buffer.from(host.ak.name).toString('hex'), attributes_verified: true },
        ek: { public_key_sha256: host.tpm.ekSpkiSha256, basis: 'listed' },
        clock: { rebooted: null, safe: true },
        boot: { kernel_cmdline: '/vmlinuz-6.12 root=/dev/sda1 ro', secure_boot: { enabled: true } },
      })
    },
  )

  it('gets a token that tells of it under a label of its own', async () => {
    const { token } = accepted(await ask(await enrolled(takeFresh())))
    expect(decodeJwt(present(token))['submods']).toMatchObject({
      tpm0: { status: 'affirming', policy: { name: 'servers' }, assay: { tpm: { ak_trust: 'ek-activation', enrolment_basis: 'listed' } } },
    })
  })

  it('is known again: its clock goes on, a resume and a reboot show, and none may be undone', async () => {
    const host = await enrolled(takeFresh())
    const first = (await claims(host)).clock
    expect((await claims(host)).clock).toMatchObject({ rebooted: false, reset_count: first.reset_count })
    expect(await verdict(host, { fields: { attest: { clock: 1n } } })).toBe('tpm-clock-regressed')
    host.reboot('resume')
    expect((await claims(host)).clock).toMatchObject({ rebooted: false, restart_count: 1 })
    expect(await verdict(host, { fields: { attest: { restartCount: 0 } } })).toBe('tpm-clock-regressed')
    host.reboot()
    expect((await claims(host)).clock).toMatchObject({ rebooted: true, reset_count: first.reset_count + 1, restart_count: 0 })
    expect(await verdict(host, { fields: { attest: { resetCount: first.reset_count, clock: 9_999_999n } } })).toBe('tpm-clock-regressed')
    // Refusals leave nothing behind.
    expect(await verdict(host)).toBe('issued')
  })

  it('may have lost some of its clock in an unclean stop, where the policy minds neither that nor the reboot', async () => {
    const host = await enrolled(takeFresh())
    expect(await verdict(host, { policy: 'never-off' })).toBe('issued')
    host.reboot('unclean')
    expect(await verdict(host, { policy: 'never-off' })).toBe('tpm-reboot-not-allowed')
    expect(await verdict(host, { policy: 'safe' })).toBe('tpm-clock-unsafe')
    expect((await claims(host)).clock).toMatchObject({ rebooted: true, safe: false })
  })

  it('has a certificate for one key: another of the same TPM needs its own', async () => {
    const host = await enrolled(takeFresh())
    const ak = host.tpm.createAk('ecdsa-p256')
    expect(await verdict(host, { fields: { ak } })).toBe('tpm-ak-cert-key-mismatch')
    const answer = Object((await enrolHost(host, service, { ak })).body)
    host.adopt([String(answer.ak_certificate)])
    expect(await verdict(host)).toBe('tpm-ak-cert-key-mismatch')
    expect(await claims(host, { fields: { ak } })).toMatchObject({
      ak: { name: Buffer.from(ak.name).toString('hex') },
      clock: { rebooted: null },
    })
  })

  it('no longer counts when its EK is taken off the list', async () => {
    const host = await enrolled(takeFresh())
    const strict = await serviceFor([])
    expect([await verdict(host), await verdict(host, {}, strict)]).toEqual(['issued', 'tpm-ek-not-listed'])
  })
})

describe('a TPM that nobody listed', () => {
  const stranger = fakeTpmHost(tpms)

  it('is not enrolled, and its key not believed', async () => {
    expect([await enrolment(stranger), await verdict(stranger)]).toEqual(['tpm-ek-not-listed', 'tpm-ak-untrusted'])
  })

  it('is enrolled for a caller with role enroller, where policies take his word', async () => {
    expect(await enrolment(stranger, { token: TOKENS['policy-author'] })).toBe('tpm-ek-not-listed')
    expect(await enrolment(stranger, { token: TOKENS.enroller })).toBe('enrolled')
    expect([await verdict(stranger), await verdict(stranger, { policy: 'vouched' })]).toEqual(['tpm-ek-not-listed', 'issued'])
  })
})

describe('an enrolment', () => {
  const host = present(hosts[2])
  const other = present(hosts[0])
  const ekCertificate = (options: Parameters<typeof tpms.ekCertificate>[1]) => ({
    request: { ek_certificate: Buffer.from(tpms.ekCertificate(host.tpm.ek.publicKey, options)).toString('base64') },
  })
  const SAN = '2.5.29.17'

  /** The certificate of a TPM by another vendor id, as long as the simulator's. */
  const ofVendor = (id: string) =>
    ekCertificate({
      overrides: {
        extensions: (all) =>
          all.map((one) => ({
            ...one,
            value: new Uint8Array(Buffer.from(Buffer.from(one.value).toString('latin1').replace('53494D00', id), 'latin1')),
          })),
      },
    })

  it.each<[string, EnrolmentChanges, string]>([
    ['of a TPM of another manufacturer', ofVendor('53544D20'), 'tpm-manufacturer-not-allowed'],
    ['of a TPM of a manufacturer that nobody knows', ofVendor('58595A00'), 'tpm-manufacturer-not-allowed'],
    ['with another secret', { secret: (secret) => secret.with(31, (secret[31] ?? 0) ^ 1) }, 'tpm-activation-failed'],
    ['with a shorter secret', { secret: (secret) => secret.subarray(1) }, 'tpm-activation-failed'],
    ['of a key that signs anything', { ak: host.tpm.createAk('ecdsa-p256', { attributes: 0x0004_0072 }) }, 'tpm-ak-not-restricted'],
    ['of a key that could leave', { ak: host.tpm.createAk('ecdsa-p256', { attributes: 0x0005_0070 }) }, 'tpm-ak-not-tpm-resident'],
    ['of a key that decrypts', { ak: host.tpm.createAk('ecdsa-p256', { attributes: 0x0007_0072 }) }, 'tpm-ak-not-signing-key'],
    ['with the EK of another TPM', { request: { ek_public: Buffer.from(other.tpm.ekArea).toString('base64') } }, 'tpm-ek-public-mismatch'],
    [
      'whose certificate has ended',
      ekCertificate({ overrides: { notAfter: new Date('2026-01-01T00:00:00Z'), notBefore: new Date('2025-01-01T00:00:00Z') } }),
      'tpm-ek-cert-expired',
    ],
    [
      'whose certificate names no TPM',
      ekCertificate({ overrides: { extensions: (all) => all.filter(({ oid }) => oid !== SAN) } }),
      'tpm-ek-cert-profile-invalid',
    ],
    [
      'whose certificate does not call its only name critical',
      ekCertificate({ overrides: { extensions: (all) => all.map((one) => (one.oid === SAN ? { ...one, critical: false } : one)) } }),
      'tpm-ek-cert-profile-invalid',
    ],
    [
      'whose certificate is another authority’s',
      ekCertificate({ overrides: { signedBy: { commonName: 'nobody', privateKey: host.ak.privateKey } } }),
      'tpm-ek-cert-chain-invalid',
    ],
  ])('%s is refused', async (...[, changes, code]) => {
    expect(await enrolment(host, changes)).toBe(code)
  })
})

type Pcrs = Readonly<Record<string, Readonly<Record<string, string>>>>
/** Evidence whose PCR values of one quote are told otherwise. */
const relabelled = (change: (pcrs: Pcrs) => Pcrs): TpmChanges => ({
  item: (item) => ({ ...item, quotes: item.quotes.map((quote) => ({ ...quote, pcrs: change(quote.pcrs) })) }),
})
const inSha256 = (change: (values: Readonly<Record<string, string>>) => Readonly<Record<string, string>>) =>
  relabelled((pcrs) => ({ ...pcrs, sha256: change(pcrs['sha256'] ?? {}) }))

describe('values of PCRs', () => {
  it.each<[string, TpmChanges, string]>([
    ['one more than was signed', inSha256((values) => ({ ...values, '23': '00'.repeat(32) })), 'tpm-pcr-values-mismatch-selection'],
    [
      'one less',
      inSha256((values) => Object.fromEntries(Object.entries(values).filter(([pcr]) => pcr !== '4'))),
      'tpm-pcr-values-mismatch-selection',
    ],
    [
      'one under another label',
      inSha256(({ '4': value = '', ...values }) => ({ ...values, '22': value })),
      'tpm-pcr-values-mismatch-selection',
    ],
    [
      'two of them swapped',
      inSha256((values) => ({ ...values, '4': values['7'] ?? '', '7': values['4'] ?? '' })),
      'tpm-pcr-digest-mismatch',
    ],
    [
      'a bank that was not signed',
      relabelled((pcrs) => ({ ...pcrs, sha512: { '4': '11'.repeat(64) } })),
      'tpm-pcr-values-mismatch-selection',
    ],
    [
      'a bank under the name of another',
      relabelled((pcrs) => ({ sha256: pcrs['sha384'] ?? {}, sha384: pcrs['sha256'] ?? {} })),
      'tpm-pcr-values-mismatch-selection',
    ],
    ['one bank of two left out', relabelled(({ sha256 = {} }) => ({ sha256 })), 'tpm-pcr-values-mismatch-selection'],
    [
      'one bank that is not what was measured',
      relabelled((pcrs) => ({ ...pcrs, sha384: { ...pcrs['sha384'], '4': '11'.repeat(48) } })),
      'tpm-pcr-digest-mismatch',
    ],
  ])('with %s are refused', async (...[, fields, code]) => {
    await enrolled(two)
    expect([await verdict(two), await verdict(two, { fields })]).toEqual(['issued', code])
  })
})

/** The log of the host with the digest of its kernel in one bank replaced, so that the banks tell different stories. */
const told = (bank: 'sha256' | 'sha384'): TpmChanges => ({
  item: (item) => {
    const log = Buffer.from(item.event_log ?? '', 'base64')
    const [old, other] = [SIM_BOOT.kernel, 'another'].map((name) => digestIn(bank, utf8(`MZ${name}`)))
    const place = log.indexOf(present(old))
    expect(place).toBeGreaterThan(0)
    log.set(present(other), place)
    return { ...item, event_log: log.toString('base64') }
  },
})

describe('evidence of several banks', () => {
  const selections = [[{ bank: 'sha256', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }], [{ bank: 'sha384', pcrs: [0, 1, 2, 3, 4, 5, 6, 7] }]] as const

  it('may be one quote for each, of which the strongest counts', async () => {
    await enrolled(two)
    expect(await claims(two, { fields: { quotes: selections } })).toMatchObject({ bank: 'sha384', boot: { bank: 'sha384' } })
  })

  it.each<[string, Partial<AttestFields>, string]>([
    ['boot', { resetCount: 7 }, 'tpm-quotes-inconsistent'],
    ['uninterrupted run', { restartCount: 7 }, 'tpm-quotes-inconsistent'],
    ['question', { extraData: new Uint8Array(32) }, 'tpm-nonce-mismatch'],
  ])('must be of one %s', async (...[, attestOf, code]) => {
    await enrolled(two)
    const [one, other] = selections
    /** Both quotes are the TPM's own, one of them of another time. */
    const evidence: FakeTpmHost['evidence'] = (extraData) => {
      const first = two.evidence(extraData, { quotes: [one] })
      return { ...first, quotes: [...first.quotes, ...two.evidence(extraData, { quotes: [other], attest: attestOf }).quotes] }
    }
    expect(await verdict({ ...two, evidence })).toBe(code)
  })

  it('rests on the strongest alone where the log tells one thing in one bank and another in the other', async () => {
    await enrolled(two)
    const kernel = Buffer.from(digestIn('sha384', utf8(`MZ${SIM_BOOT.kernel}`))).toString('hex')
    expect((await claims(two, { fields: told('sha256') })).boot?.boot_applications?.at(-1)).toBe(kernel)
    expect(await verdict(two, { fields: told('sha384') })).toBe('tpm-eventlog-replay-mismatch')
    const weaker: TpmChanges = { ...told('sha256'), quotes: [selections[0]] }
    expect(await verdict(two, { fields: weaker })).toBe('tpm-eventlog-replay-mismatch')
  })

  it('needs a log of the strongest', async () => {
    const log = Buffer.from(tcg2Log(grubBoot(), ['sha256'])).toString('base64')
    expect(await verdict(await enrolled(two), { fields: { item: (item) => ({ ...item, event_log: log }) } })).toBe(
      'tpm-eventlog-bank-missing',
    )
  })
})
