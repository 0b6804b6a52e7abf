import { describe, expect, it } from 'vitest'
import { hexOf } from '../../../test/appraisals.ts'
import { boot, ima, secureBoot, tpmClaims } from '../../../test/tpm-claims.ts'
import type { TpmClaims } from '../../verifiers/tpm/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { appraise } from '../appraise.ts'
import { readPolicy } from '../read-policy.ts'

const passed = (id: string): Check => ({ id, title: 'x', outcome: 'pass', origin: 'specification' })

const vector = (tpm: object, claims: TpmClaims, more: object = {}) =>
  appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy: readPolicy(JSON.stringify({ name: 'test', tpm, ...more }), 'test'),
    items: [
      {
        type: 'tpm',
        finding: { checks: [passed('TPM-17'), passed('TPM-18'), passed('TPM-24')], claims: { tpm: claims }, validUntil: new Date(1e13) },
        fresh: true,
      },
    ],
    keyBinding: 'bound',
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  }).appraisal.evidence[0]?.trustworthiness

const listed = { pcrs: { sha256: { '4': [tpmClaims.pcrs['4']] } } }
const is = (changes: Partial<TpmClaims>): TpmClaims => ({ ...tpmClaims, ima: null, ...changes })
const NOTHING = { 'runtime-opaque': 0, 'storage-opaque': 0, 'sourced-data': 0 }

describe('the trustworthiness vector of a host with a TPM', () => {
  it('recognises a machine that was enrolled, its boot, and nothing of its memory', () => {
    expect(vector(listed, is({}))).toEqual({
      ...NOTHING,
      'instance-identity': 2,
      configuration: 2,
      executables: 3,
      'file-system': 0,
      hardware: 2,
    })
  })

  it.each<[string, Partial<TpmClaims>, object, number]>([
    ['whoever vouches for any genuine TPM', { ek: { public_key_sha256: hexOf(1, 32), basis: 'any', listed_by: null } }, {}, 0],
    ['a caller who enrolled it', { ek: { public_key_sha256: hexOf(1, 32), basis: 'enroller', listed_by: null } }, {}, 2],
    ['a cloud', { ak_trust: 'ak-cert', ek: null }, {}, 0],
    ['the operator, who lists the key', { ak_trust: 'enrolled-ak', ek: null }, {}, 2],
    [
      'a cloud, for an instance that is listed',
      {
        ak_trust: 'ak-cert',
        ek: null,
        gce: { zone: 'z', project_number: '1', project_id: 'p', instance_id: '7', instance_name: 'n', security_version: null },
      },
      { gce: { instance_ids: ['7'] } },
      2,
    ],
  ])('says who is known through %s', (_, changes, ...[options, identity]) => {
    expect(vector({ ...listed, ...options }, is(changes))).toMatchObject({ 'instance-identity': identity })
  })

  it('approves no program where nothing says what may boot', () => {
    expect(vector({ unnamed_boot: 'DANGEROUSLY_ALLOW' }, is({}))).toMatchObject({ executables: 0 })
    const others = { unnamed_boot: 'DANGEROUSLY_ALLOW', pcrs: { sha256: { '16': [tpmClaims.pcrs['16']] } } }
    expect(vector(others, is({}))).toMatchObject({ executables: 0 })
    expect(vector({ pcrs: { sha256: { '4': [tpmClaims.pcrs['4']] } } }, is({}))).toMatchObject({ executables: 3 })
  })

  it('tells what a rule refuses or warns of', () => {
    const off = is({ boot: { ...boot, secure_boot: { ...secureBoot, enabled: false } } })
    const strict = { ...listed, secure_boot: { enabled: 'require' } }
    expect(vector(strict, off)).toMatchObject({ configuration: 96 })
    expect(vector(strict, off, { warn: ['tpm.secure_boot.enabled'] })).toMatchObject({ configuration: 32 })
    expect(vector({ pcrs: { sha256: { '4': [hexOf(0xaa, 32)] } } }, is({}))).toMatchObject({ executables: 96 })
    expect(vector({ ...listed, firmware_versions: ['0000000000000001'] }, is({}))).toMatchObject({ hardware: 96 })
  })

  it('approves files only where IMA is asked', () => {
    const options = { ...listed, ima: { mode: 'require', digests: { '/bin/x': [`sha256:${hexOf(1, 32)}`] } } }
    expect(vector(options, is({ ima }))).toMatchObject({ 'file-system': 2 })
    const fault = { 'not-allowed': { count: 1, first: [{ entry: 2, path: '/bin/y', digest: 'sha256:00' }] } }
    expect(vector(options, is({ ima: { ...ima, faults: fault } }))).toMatchObject({ 'file-system': 96 })
  })
})
