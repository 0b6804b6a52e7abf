import type { ProblemCode } from '../problems.ts'
import type { Check } from '../verifier.ts'
import { failed, passed } from '../checks.ts'

/** One check of an endorsement certificate: what must hold, and the code when it does not. */
export type ChainRule = { readonly id: string; readonly title: string; readonly code: ProblemCode; readonly expected: string }

/** SNP-22 to SNP-47 (specification snp.md section 15) apart from those that a policy decides. */
export const CHAIN_RULES = {
  present: {
    id: 'SNP-22',
    title: 'An endorsement certificate is at hand',
    code: 'snp-vek-missing',
    expected: 'the VCEK or VLEK that signed the report',
  },
  algorithm: {
    id: 'SNP-23',
    title: 'The endorsement certificate uses AMD’s algorithms',
    code: 'snp-vek-algorithm',
    expected: 'X.509 v3, a P-384 key, RSASSA-PSS sha384 with salt 48 inside and outside what is signed',
  },
  kind: {
    id: 'SNP-24',
    title: 'The certificate is of the kind that SIGNING_KEY names',
    code: 'snp-vek-kind-mismatch',
    expected: 'the kind that the report names',
  },
  subject: {
    id: 'SNP-25',
    title: 'The endorsement certificate carries AMD’s names',
    code: 'snp-vek-subject',
    expected: 'OU=Engineering, C=US, L=Santa Clara, ST=CA, O=Advanced Micro Devices, and CN=SEV-VCEK or CN=SEV-VLEK for the subject',
  },
  root: {
    id: 'SNP-30',
    title: 'The chain ends in a pinned root',
    code: 'snp-root-untrusted',
    expected: 'the pinned key of an ARK, and nothing simulated in production',
  },
  issuer: {
    id: 'SNP-31',
    title: 'The issuer is the pinned authority for this kind of key',
    code: 'snp-chain-invalid',
    expected: 'a pinned ASK for a VCEK, a pinned ASVK for a VLEK',
  },
  signature: {
    id: 'SNP-32',
    title: 'The endorsement certificate is signed by its issuer',
    code: 'snp-chain-invalid',
    expected: 'a signature by the pinned key of the issuer',
  },
  validity: {
    id: 'SNP-33',
    title: 'Root, intermediate and endorsement certificate are valid now',
    code: 'snp-cert-expired',
    expected: 'notBefore and notAfter around the time of verification',
  },
  product: {
    id: 'SNP-34',
    title: 'Report, chain and certificate name one product',
    code: 'snp-product-mismatch',
    expected: 'the product of the chain',
  },
  structVersion: {
    id: 'SNP-35',
    title: 'structVersion is that of the product',
    code: 'snp-vek-extension-invalid',
    expected: '1 on Turin, 0 on Milan and Genoa',
  },
  extensions: {
    id: 'SNP-40',
    title: 'The extensions of the endorsement certificate are complete and well-formed',
    code: 'snp-vek-extension-invalid',
    expected: 'each extension of the product once, DER, none unknown',
  },
  tcb: {
    id: 'SNP-41',
    title: 'The endorsement key was derived for REPORTED_TCB',
    code: 'snp-vek-tcb-mismatch',
    expected: 'REPORTED_TCB',
  },
  reservedSpl: { id: 'SNP-42', title: 'The reserved SPLs are zero', code: 'snp-vek-extension-invalid', expected: 'spl4 to spl7 zero' },
  vcekHolder: {
    id: 'SNP-43',
    title: 'A VCEK names a chip and no provider',
    code: 'snp-vcek-hwid-missing',
    expected: 'hwID present, cspID absent',
  },
  vlekHolder: {
    id: 'SNP-44',
    title: 'A VLEK names a provider and no chip',
    code: 'snp-vlek-csp-id-invalid',
    expected: 'cspID present and not empty, hwID absent',
  },
  chip: { id: 'SNP-46', title: 'The VCEK belongs to the chip of the report', code: 'snp-vcek-hwid-mismatch', expected: 'CHIP_ID' },
  masked: {
    id: 'SNP-47',
    title: 'CHIP_ID is not masked, or the policy allows that',
    code: 'snp-chip-id-masked',
    expected: 'a CHIP_ID that is not all zero',
  },
} as const satisfies Record<string, ChainRule>

/** How to report a check, by whether it holds. */
export const judgeIf = (holds: boolean): ((rule: ChainRule, actual: string) => Check) => (holds ? passed : failed)

const byNumber = (a: Check, b: Check): number => (a.id < b.id ? -1 : Number(a.id > b.id))

/** Checks in the order of their numbers, which all have two digits, those of one number in the order in which they were made. */
export const inOrder = (checks: readonly Check[]): readonly Check[] => checks.toSorted(byNumber)
