import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { ima as listClaims, tpmClaims } from '../../../test/tpm-claims.ts'
import { IMA_FAULT_KINDS, type ImaClaims, type ImaFaultKind } from '../../verifiers/tpm/ima/claims.ts'
import type { AppraisalPolicy } from '../policy.ts'
import { readPolicy } from '../read-policy.ts'
import { rigourOf } from '../rigour.ts'
import { ima } from './ima.ts'

const policyOf = (members: object): AppraisalPolicy =>
  readPolicy(JSON.stringify({ name: 'p', key_binding: 'DANGEROUSLY_OPTIONAL', tpm: { ima: members } }), 'p.json').document

const checksOf = (members: object, claims: ImaClaims | null = listClaims) =>
  ima({ claims: { ...tpmClaims, ima: claims }, policy: policyOf(members).tpm })

const faulty = (kind: ImaFaultKind): ImaClaims => ({
  ...listClaims,
  faults: { [kind]: { count: 9, first: [{ entry: 5, path: '/bin/\u001b[31mevil\u202e', digest: 'sha256:00' }] } },
})
const outcomesOf = (checks: ReturnType<typeof ima>) =>
  checks.map((check) => [check.id, 'code' in check ? check.code : check.outcome, check.rule])
const failures = (checks: ReturnType<typeof ima>) => outcomesOf(checks).filter(([, code]) => String(code).startsWith('tpm-'))
const refusal = (members: object) => {
  try {
    policyOf(members)
    return 'accepted'
  } catch (error) {
    return String(error)
  }
}

describe('rules for the list of measured files', () => {
  it('ask nothing where the policy does not want a list', () => {
    for (const claims of [null, listClaims]) expect(outcomesOf(checksOf({}, claims))).toEqual([['TPM-61', 'skip', 'tpm.ima.mode']])
  })

  it('want a list where the policy does', () => {
    expect(failures(checksOf({ mode: 'require' }, null))).toEqual([['TPM-61', 'tpm-ima-missing', 'tpm.ima.mode']])
  })

  it('pass where nothing is wrong', () => {
    expect(outcomesOf(checksOf({ mode: 'require' })).map(([id, outcome]) => `${id} ${outcome}`)).toEqual([
      'TPM-61 pass',
      'TPM-63 skip',
      'TPM-64 pass',
      'TPM-65 pass',
      'TPM-66 pass',
      'TPM-66 pass',
      'TPM-67 pass',
      'TPM-67 pass',
      'TPM-68 pass',
    ])
  })

  it.each([
    ['boot-aggregate', 'TPM-64', 'tpm-ima-boot-aggregate-mismatch', 'boot_aggregate'],
    ['violation', 'TPM-65', 'tpm-ima-violation', 'violations'],
    ['not-allowed', 'TPM-66', 'tpm-ima-not-allowed', 'digests'],
    ['hash-mismatch', 'TPM-66', 'tpm-ima-hash-mismatch', 'digests'],
    ['signature-malformed', 'TPM-67', 'tpm-ima-signature-malformed', 'verification_keys'],
    ['signature-invalid', 'TPM-67', 'tpm-ima-signature-invalid', 'verification_keys'],
    ['keyring', 'TPM-68', 'tpm-ima-keyring-not-allowed', 'keyrings'],
  ] as const)('refuse %s', (...[kind, id, code, member]) => {
    expect(IMA_FAULT_KINDS).toContain(kind)
    expect(failures(checksOf({ mode: 'require' }, faulty(kind)))).toEqual([[id, code, `tpm.ima.${member}`]])
  })

  it('know every kind of fault', () => {
    for (const kind of IMA_FAULT_KINDS) expect(failures(checksOf({ mode: 'require' }, faulty(kind)))).toHaveLength(1)
  })

  it('tell what a terminal would obey as what it is not', () => {
    const [check] = checksOf({ mode: 'require' }, faulty('not-allowed')).filter(({ outcome }) => outcome === 'fail')
    expect(check?.actual).toBe('9: /bin/?[31mevil? (entry 5, sha256:00)')
  })

  it('allow violations, and a boot that is not compared, where the policy says so', () => {
    expect(failures(checksOf({ mode: 'require', violations: 'allow' }, faulty('violation')))).toEqual([])
    expect(failures(checksOf({ mode: 'require', boot_aggregate: 'off' }, faulty('boot-aggregate')))).toEqual([])
  })

  it('refuse what nothing attests only where the policy says so', () => {
    const tail = { ...listClaims, unattested_entries: 1 }
    expect(failures(checksOf({ mode: 'require' }, tail))).toEqual([])
    expect(failures(checksOf({ mode: 'require', unattested_tail: 'refuse' }, tail))).toEqual([
      ['TPM-63', 'tpm-ima-replay-mismatch', 'tpm.ima.unattested_tail'],
    ])
    expect(failures(checksOf({ mode: 'require', unattested_tail: 'refuse' }))).toEqual([])
  })
})

describe('the policy of files', () => {
  const pem = String(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ format: 'pem', type: 'spki' }))
  const weak = String(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'pem', type: 'spki' }))
  const digest = `sha256:${'0a'.repeat(32)}`

  it('is compiled once, and only where a list is wanted', () => {
    const policy = policyOf({
      mode: 'require',
      digests: { '/bin/a': [digest] },
      excludes: ['/tmp/.*', '(?i)/VAR/log'],
      keyrings: { '.ima': [digest] },
      ignored_keyrings: ['.evm'],
      buffers: { 'kexec-cmdline': [digest] },
      verification_keys: [pem],
    })
    const { ima: rules, requiredPcrs } = rigourOf(policy).tpm
    expect(rigourOf(policy).tpm.ima).toBe(rules)
    expect(requiredPcrs).toEqual([10])
    expect(rules?.digests.get('/bin/a')).toEqual(new Set([digest]))
    expect(rules?.keyrings.get('.ima')).toEqual(new Set([digest]))
    expect(rules?.buffers.get('kexec-cmdline')).toEqual(new Set([digest]))
    expect(rules?.ignoredKeyrings).toEqual(new Set(['.evm']))
    expect(rules?.signers).toHaveLength(1)
    expect(rules).toMatchObject({ bootAggregate: 'verify', legacyPadding: 'refuse' })
    expect(rigourOf(policyOf({ digests: { '/bin/a': [digest] } })).tpm).toMatchObject({ ima: undefined, requiredPcrs: [] })
  })

  it('excludes paths by their beginning, each pattern by itself', () => {
    const excludes = (...patterns: readonly string[]) => rigourOf(policyOf({ mode: 'require', excludes: patterns })).tpm.ima?.isExcluded
    expect(['/tmp/x', '/tmpx', '/a/tmp/x'].map((path) => excludes('/tmp')?.(path))).toEqual([true, true, false])
    expect(['/TMP', '/VAR'].map((path) => excludes('(?i)/tmp', '/var')?.(path))).toEqual([true, false])
    expect(['/a', '/ab', '/c'].map((path) => excludes('/a$|/b', '/c')?.(path))).toEqual([true, false, true])
    expect(rigourOf(policyOf({ mode: 'require' })).tpm.ima?.isExcluded('/a')).toBe(false)
  })

  it('takes time in proportion to a path, whatever the pattern', () => {
    const excluded = rigourOf(policyOf({ mode: 'require', excludes: ['(a*)*b', '(a|aa)+$'] })).tpm.ima?.isExcluded
    expect(excluded?.(`${'a'.repeat(4000)}c`)).toBe(false)
  })

  it.each<[string, object, RegExp]>([
    ['a pattern that is none', { excludes: ['('] }, /tpm\.ima\.excludes/],
    ['a pattern that looks back', { excludes: ['(a)\\1'] }, /tpm\.ima\.excludes/],
    [
      'patterns that are too large together',
      { excludes: ['a{900}', 'b{900}', 'c{900}', 'd{900}', 'e{900}', 'f{900}'] },
      /too many or too large/,
    ],
    ['too many patterns', { excludes: Array.from({ length: 257 }, (_, i) => `/${i}`) }, /too many or too large/],
    ['a digest without its hash', { digests: { '/a': ['0a'.repeat(32)] } }, /tpm\.ima\.digests/],
    ['a digest of another length', { digests: { '/a': [`sha512:${'0a'.repeat(32)}`] } }, /tpm\.ima\.digests/],
    ['an empty list', { digests: {} }, /tpm\.ima\.digests/],
    ['a path without a digest', { digests: { '/a': [] } }, /tpm\.ima\.digests/],
    ['a key that is too weak', { verification_keys: [weak] }, /tpm\.ima\.verification_keys/],
    ['a key that is none', { verification_keys: ['-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'] }, /verification_keys/],
    ['a private key', { verification_keys: [pem.replaceAll('PUBLIC', 'PRIVATE')] }, /verification_keys/],
  ])('refuses %s', (_, members, message) => {
    expect(refusal(members)).toMatch(message)
  })

  it('takes exactly what is right', () => expect(refusal({ excludes: ['/tmp'], verification_keys: [pem] })).toBe('accepted'))
})
