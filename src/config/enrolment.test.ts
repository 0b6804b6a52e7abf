import { describe, expect, it } from 'vitest'
import { ConfigError, loadConfig } from '../config.ts'
import { printConfig } from './print.ts'

const load = (file: string) => loadConfig({ environment: { ASSAY_CONFIG: 'assay.yaml' }, readText: () => file }).config
const A = 'a1'.repeat(32)
const B = 'b2'.repeat(32)

function pathsOf(file: string): readonly string[] {
  try {
    load(file)
    return []
  } catch (error) {
    return error instanceof ConfigError ? error.problems.map(({ path }) => path) : [String(error)]
  }
}

describe('enrolment', () => {
  it('is off where nothing is said of it', () => expect(load('').tpm.enrolment).toBeUndefined())

  it('enrols nobody by default', () => {
    expect(load('tpm: {enrolment: {}}').tpm.enrolment).toEqual({
      listed: [],
      others: 'refuse',
      certificateLifetimeSeconds: 86_400,
      softwareTpm: 'refuse',
      expiredEkCertificate: 'refuse',
      revocation: 'require',
      crlGraceSeconds: 0,
      skewSeconds: 0,
    })
  })

  it.each([
    ['a list', `[${A}, {authority: ek-ca.pem}, {authority: ${B}}]`, [{ spkiSha256: A }, { authority: 'ek-ca.pem' }, { authority: B }]],
    ['nobody', '[]', []],
  ])('reads %s', (_, ek, listed) => {
    expect(load(`tpm: {enrolment: {ek: ${ek}}}`).tpm.enrolment).toMatchObject({ listed, others: 'refuse' })
  })

  it.each([
    ['alone', 'DANGEROUSLY_ANY_GENUINE_TPM', []],
    ['in a list', `[${A}, DANGEROUSLY_ANY_GENUINE_TPM]`, [{ spkiSha256: A }]],
  ])('reads the weakening %s', (_, ek, listed) => {
    expect(load(`tpm: {enrolment: {ek: ${ek}}}`).tpm.enrolment).toMatchObject({ listed, others: 'DANGEROUSLY_ANY_GENUINE_TPM' })
  })

  it('is printed so that it is read back the same', () => {
    const ek = `[${A}, DANGEROUSLY_ANY_GENUINE_TPM, {authority: ek-ca.pem}]`
    const config = load(`ak_ca_key_file: ca.json\ntpm: {enrolment: {ek: ${ek}, crl: prefer, software_tpm: allow}}`)
    expect(config).toMatchObject({ akCaKeyFile: 'ca.json', tpm: { enrolment: { revocation: 'prefer', softwareTpm: 'allow' } } })
    // A listed weakening is printed in front.
    expect(load(printConfig(config))).toEqual(config)
  })

  it.each([
    ['another word', 'tpm: {enrolment: {ek: ANY}}', 'tpm.enrolment.ek'],
    ['a digest in capitals', `tpm: {enrolment: {ek: [${A.toUpperCase()}]}}`, 'tpm.enrolment.ek'],
    ['a digest that is short', `tpm: {enrolment: {ek: [${A.slice(2)}]}}`, 'tpm.enrolment.ek'],
    [
      'a certificate that lives too long',
      'tpm: {enrolment: {certificate_lifetime_seconds: 2592001}}',
      'tpm.enrolment.certificate_lifetime_seconds',
    ],
    [
      'a certificate that ends at once',
      'tpm: {enrolment: {certificate_lifetime_seconds: 299}}',
      'tpm.enrolment.certificate_lifetime_seconds',
    ],
    ['a setting that is none', 'tpm: {enrolment: {eks: []}}', 'tpm.enrolment.eks'],
    ['a key of its own for each replica', 'redis_url: redis://x\nsecret_file: s\ntpm: {enrolment: {}}', 'ak_ca_key_file'],
  ])('refuses %s', (_, file, path) => expect(pathsOf(file)[0]).toMatch(path))

  it('lets replicas share one key, or enrol nobody', () => {
    expect(pathsOf('redis_url: redis://x\nsecret_file: s\nak_ca_key_file: k\ntpm: {enrolment: {}}')).toEqual([])
    expect(pathsOf('redis_url: redis://x\nsecret_file: s')).toEqual([])
  })
})
