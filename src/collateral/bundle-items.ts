import { z } from 'zod'
import { base64Length } from '../base64.ts'
import { type AmdEndpoint, SNP_PRODUCTS } from '../verifiers/snp/address.ts'
import type { SnpProduct } from '../verifiers/snp/claims.ts'
import type { IntelUpdate, PckCa } from '../verifiers/tdx/address.ts'
import type { VendorDocument } from '../verifiers/tdx/document.ts'

/** One item of a bundle; binary decoded. */
export type BundleItem =
  | { readonly kind: 'amd-certificate'; readonly der: Uint8Array }
  | { readonly kind: 'amd-crl'; readonly product: SnpProduct; readonly endpoint: AmdEndpoint; readonly der: Uint8Array }
  | { readonly kind: 'intel-tcb-info' | 'intel-qe-identity'; readonly update: IntelUpdate; readonly document: VendorDocument }
  | { readonly kind: 'intel-pck-crl'; readonly ca: PckCa; readonly document: VendorDocument }
  | { readonly kind: 'intel-root-ca-crl'; readonly der: Uint8Array }
  | { readonly kind: 'tpm-certificate'; readonly der: Uint8Array }
  | { readonly kind: 'tpm-crl'; readonly der: Uint8Array }

/** Upper limits in bytes (design section 3, Limits). */
const MOST = { certificates: 64 * 1024, crl: 8 * 1024 * 1024, other: 1024 * 1024 } as const

const binary = (most: number) =>
  z
    .string()
    .max(base64Length(most))
    .transform((text, context) => {
      const bytes = Buffer.from(text, 'base64')
      if (bytes.toString('base64') === text) return new Uint8Array(bytes)
      context.addIssue('expected canonical base64 with padding')
      return z.NEVER
    })

const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .transform((value) => new Uint8Array(Buffer.from(value)))

const der = binary(MOST.crl)
const chain = text(MOST.certificates)

const amdCertificate = z.strictObject({ kind: z.literal('amd-certificate'), der: binary(MOST.certificates) })
const amdCrl = z.strictObject({ kind: z.literal('amd-crl'), product: z.enum(SNP_PRODUCTS), endpoint: z.enum(['vcek', 'vlek']), der })
/** `body`: the exact text of the signed document as served. */
const intelSigned = z
  .strictObject({
    kind: z.enum(['intel-tcb-info', 'intel-qe-identity']),
    update: z.enum(['standard', 'early']).default('standard'),
    body: text(MOST.other),
    issuer_chain: chain,
  })
  .transform(({ kind, update, body, issuer_chain: issuerChain }) => ({ kind, update, document: { issuerChain, body } }))
const intelPckCrl = z
  .strictObject({ kind: z.literal('intel-pck-crl'), ca: z.enum(['platform', 'processor']), der, issuer_chain: chain })
  .transform(({ kind, ca, der: body, issuer_chain: issuerChain }) => ({ kind, ca, document: { issuerChain, body } }))
const intelRootCrl = z.strictObject({ kind: z.literal('intel-root-ca-crl'), der })
const tpmCertificate = z.strictObject({ kind: z.literal('tpm-certificate'), der: binary(MOST.certificates) })
const tpmCrl = z.strictObject({ kind: z.literal('tpm-crl'), der })

/** Reads one item. */
export const bundleItem = z.discriminatedUnion('kind', [
  amdCertificate,
  amdCrl,
  intelSigned,
  intelPckCrl,
  intelRootCrl,
  tpmCertificate,
  tpmCrl,
])

/** An item as {@link bundleItem} reads it. */
export function writtenItem(item: BundleItem): Readonly<Record<string, unknown>> {
  if ('der' in item) return { ...item, der: base64(item.der) }
  const { document, ...label } = item
  const body = label.kind === 'intel-pck-crl' ? { der: base64(document.body) } : { body: utf8(document.body) }
  return { ...label, ...body, issuer_chain: utf8(document.issuerChain) }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')
const utf8 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
