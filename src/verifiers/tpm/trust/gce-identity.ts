import { DerReader, TAG, type DerDocument } from '../../der.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { GceClaims } from '../claims.ts'

/** The identity of a Compute Engine instance (specification tpm.md section 6.1). */
export const GCE_IDENTITY = '1.3.6.1.4.1.11129.2.1.21'

/** What the extension says; `production`: whether it says that the instance is one. */
export type GceIdentity = { readonly claims: GceClaims; readonly production: 'yes' | 'no' }

const DOCUMENT: DerDocument = { what: 'gce-identity', code: 'tpm-gce-identity-invalid' }
const PRINTABLE_ASCII = /^[\x20-\x7e]{1,256}$/
/** EXPLICIT tags. */
const TAGGED = { securityProperties: 0xa0, securityVersion: 0xa0, isProduction: 0xa1 } as const

/** Reads the extension; undefined without one. Throws AttestationError tpm-gce-identity-invalid. */
export function readGceIdentity({ extensions }: Pick<ParsedCertificate, 'extensions'>): GceIdentity | undefined {
  const extension = extensions.find(({ oid }) => oid === GCE_IDENTITY)
  return extension === undefined ? undefined : DerReader.all(extension.value, DOCUMENT, (top) => top.sequence('Identity', readIdentity))
}

function readIdentity(r: DerReader): GceIdentity {
  const names = {
    zone: text(r, 'zone'),
    project_number: unsigned(r, 'projectNumber'),
    project_id: text(r, 'projectId'),
    instance_id: unsigned(r, 'instanceId'),
    instance_name: text(r, 'instanceName'),
  }
  const security = r.optional('securityProperties', TAGGED.securityProperties, (tagged) => tagged.sequence('properties', readSecurity))
  return {
    claims: { ...names, security_version: security?.version ?? null },
    production: security?.isProduction === true ? 'yes' : 'no',
  }
}

/** What follows isProduction is not used here, and may grow. */
function readSecurity(r: DerReader): { readonly version: string | undefined; readonly isProduction: boolean | undefined } {
  const version = r.optional('securityVersion', TAGGED.securityVersion, (tagged) => unsigned(tagged, 'securityVersion'))
  const isProduction = r.optional('isProduction', TAGGED.isProduction, (tagged) => boolean(tagged, 'isProduction'))
  r.list((more) => more.any('property'))
  return { version, isProduction }
}

function text(r: DerReader, field: string): string {
  const value = Buffer.from(r.expect(field, TAG.UTF8_STRING).content).toString('latin1')
  if (!PRINTABLE_ASCII.test(value)) throw r.malformed(field, 'is not printable ASCII text')
  return value
}

/** Instance ids use all 64 bits, so they are no numbers. */
function unsigned(r: DerReader, field: string): string {
  const value = r.integer(field)
  if (value < 0n || value > 0xffff_ffff_ffff_ffffn) throw r.malformed(field, 'is not an unsigned number of 64 bits')
  return String(value)
}

function boolean(r: DerReader, field: string): boolean {
  const { content } = r.expect(field, TAG.BOOLEAN)
  const [value] = content
  if (content.length !== 1 || (value !== 0x00 && value !== 0xff)) throw r.malformed(field, 'is not a boolean')
  return value === 0xff
}
