import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import type { JWTPayload } from 'jose'
import { describe, expect, it } from 'vitest'
import { appraisalUnder, hexOf } from '../../test/appraisals.ts'
import { boot, ima, tpmClaims, tpmItem } from '../../test/tpm-claims.ts'
import { readCnfJwk, type CnfKey } from '../access/cnf.ts'
import type { ItemAppraisal } from '../appraisal/appraisal.ts'
import { readPolicy } from '../appraisal/read-policy.ts'
import { createTokenIssuer } from './issuer.ts'
import { fixedTokenKeys } from './key-ring.ts'
import { temporaryTokenKey } from './keys.ts'

const subject = createSecretKey(randomBytes(32))
const policy = readPolicy(JSON.stringify({ name: 'eu' }), 'test')
const rsa = readCnfJwk({ kty: 'RSA', e: 'AQAB', n: Buffer.alloc(512, 0xc1).toString('base64url') })

function tokenFor(item: ItemAppraisal, cnf?: CnfKey, name = 'https://rp.example'): string {
  const service = createTokenIssuer({
    tokenKeys: fixedTokenKeys([temporaryTokenKey('ES256')]),
    keys: { subject },
    issuer: 'https://attest.example',
    mode: 'production',
    now: () => new Date('2026-11-24T08:00:00Z'),
  })
  const audience = { name, policies: ['eu'], profile: 'lean', alg: 'ES256', relyingPartyNonce: 'refuse' } as const
  const appraisal = appraisalUnder(policy.reference, { evidence: [item] })
  return service.issue({ appraisal, policy, audience, nonce: new Uint8Array(32).fill(255), cnf }).token
}

type Payload = JWTPayload & {
  readonly submods: Readonly<Record<string, { readonly assay: { readonly tpm: Readonly<Record<string, unknown>> } }>>
}

const claimsOf = (token: string): Payload => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Payload
const tpmOf = (token: string) => claimsOf(token).submods['tpm0']?.assay.tpm ?? {}

const pseudonym = (kind: string, hex: string): string => {
  const mac = createHmac('sha256', subject).update(`https://rp.example\0${kind}\0`).update(Buffer.from(hex, 'hex')).digest()
  return `urn:assay:${kind}:${mac.subarray(0, 16).toString('hex')}`
}

const few = { pcrs: { '4': hexOf(4, 32), '7': hexOf(7, 32), '16': hexOf(16, 32) } }

describe('the token of a host with a TPM', () => {
  it('says how its key is trusted, what was measured, and what the log proves', () => {
    expect(tpmOf(tokenFor(tpmItem(few)))).toEqual({
      ak_trust: 'ek-activation',
      enrolment_basis: 'listed',
      ak_attributes_verified: true,
      bank: 'sha256',
      ...few,
      reset_count: 3,
      restart_count: 0,
      clock_safe: true,
      firmware_version: '2016051100162800',
      boot: {
        replayed: boot.replayed,
        secure_boot: true,
        kernel_cmdline: boot.kernel_cmdline,
        boot_applications: boot.boot_applications,
        scrtm_version: boot.scrtm_version,
      },
      ima: { attested_entries: 400, violations: 0, value: ima.value },
    })
  })

  it('is about the attestation key, and its host is the endorsement key', () => {
    const claims = claimsOf(tokenFor(tpmItem()))
    expect(claims.sub).toBe(pseudonym('tpm', tpmClaims.ak.name ?? ''))
    expect(claims['host_id']).toBe(pseudonym('host', tpmClaims.ek?.public_key_sha256 ?? ''))
    expect(claimsOf(tokenFor(tpmItem({ ek: null })))['host_id']).toBeUndefined()
  })

  it('is about the key alone where nothing vouches for its name', () => {
    const nameless = { ...tpmClaims.ak, name: null }
    expect(claimsOf(tokenFor(tpmItem({ ak: nameless }))).sub).toBe(pseudonym('tpm', tpmClaims.ak.spki_sha256))
    const other = { ...nameless, spki_sha256: hexOf(0x77, 32) }
    expect(claimsOf(tokenFor(tpmItem({ ak: other }))).sub).toBe(pseudonym('tpm', other.spki_sha256))
  })

  it('names neither key, certificate nor endorsement key', () => {
    const text = JSON.stringify(claimsOf(tokenFor(tpmItem(few))))
    const secret = [tpmClaims.ak.name, tpmClaims.ak.spki_sha256, tpmClaims.ek?.public_key_sha256, tpmClaims.ak_certificate?.sha256]
    expect(secret.filter((value) => value === undefined || value === null || text.includes(value))).toEqual([])
  })

  it('tells a chip from what a hypervisor runs', () => {
    expect(claimsOf(tokenFor(tpmItem()))['tcb']).toEqual({ hw: 'none', vtpm: 'discrete' })
    for (const ak_trust of ['ak-cert', 'enrolled-ak'] as const)
      expect(claimsOf(tokenFor(tpmItem({ ak_trust, ek: null })))['tcb']).toEqual({ hw: 'none', vtpm: 'hypervisor' })
  })

  it('says nothing of debugging, which no TPM knows', () => {
    expect(claimsOf(tokenFor(tpmItem()))).not.toHaveProperty('dbgstat')
  })

  it('leaves out a firmware version that the TPM may have hidden', () => {
    expect(tpmOf(tokenFor(tpmItem({ ...few, firmware_version_reliable: false })))).not.toHaveProperty('firmware_version')
  })

  it('stays under 4 KiB, and drops registers of the operating system before those of the boot', () => {
    const wide = Object.fromEntries(Array.from({ length: 24 }, (_, index) => [String(index), hexOf(index + 1, 64)]))
    const long = { ...boot, kernel_cmdline: 'x'.repeat(4000), boot_applications: Array.from({ length: 400 }, () => hexOf(1, 64)) }
    const token = tokenFor(tpmItem({ bank: 'sha512', pcrs: wide, boot: long }))
    expect(token.length).toBeLessThan(4096)
    expect(Object.keys(tpmOf(token)['pcrs'] ?? {})).toEqual(['4', '7', '8', '9', '11', '12'])
    const longest = tokenFor(tpmItem({ bank: 'sha512', pcrs: wide, boot: long }), rsa, 'a'.repeat(200))
    expect(longest.length).toBeLessThan(4096)
    expect(tpmOf(longest)).toMatchObject({ ak_trust: 'ek-activation', boot: { secure_boot: true } })
  })
})
