import type { ProblemCode } from '../problems.ts'

/** One check of the PCK chain: what must hold, and the code when it does not. */
export type PckRule = { readonly id: string; readonly title: string; readonly code: ProblemCode; readonly expected: string }

/** TDX-18 to TDX-26 (specification tdx.md section 9). */
export const PCK_RULES = {
  clean: {
    id: 'TDX-18',
    title: 'The PCK chain is clean PEM of certificates',
    code: 'tdx-pck-chain-malformed',
    expected: 'certificates in PEM, nothing between them, at most one NUL behind them',
  },
  complete: {
    id: 'TDX-19',
    title: 'The chain is leaf, PCK CA and root',
    code: 'tdx-pck-chain-incomplete',
    expected: 'exactly three certificates with Intel’s subjects, in this order',
  },
  root: {
    id: 'TDX-20',
    title: 'The chain ends in the pinned root',
    code: 'tdx-root-ca-untrusted',
    expected: 'the pinned key of Intel’s root, self-signed, and nothing simulated in production',
  },
  intermediate: {
    id: 'TDX-21',
    title: 'The PCK CA is signed by the root',
    code: 'tdx-intermediate-ca-invalid',
    expected: 'the root’s name, byte for byte, and its signature',
  },
  leaf: {
    id: 'TDX-22',
    title: 'The PCK certificate is signed by the PCK CA',
    code: 'tdx-pck-cert-invalid-signature',
    expected: 'the CA’s name, byte for byte, and its signature',
  },
  uses: {
    id: 'TDX-23',
    title: 'Every certificate may be used for what it is used for',
    code: 'tdx-certificate-constraints-violated',
    expected: 'basicConstraints, keyUsage and path length of its role, nothing critical that is not understood',
  },
  extensions: {
    id: 'TDX-24',
    title: 'Every certificate has the standard extensions',
    code: 'tdx-certificate-extensions-missing',
    expected: 'authorityKeyIdentifier, cRLDistributionPoints, subjectKeyIdentifier, keyUsage, basicConstraints',
  },
  algorithm: {
    id: 'TDX-25',
    title: 'Every certificate uses Intel’s algorithms',
    code: 'tdx-certificate-algorithm-unsupported',
    expected: 'a P-256 key, ecdsa-with-SHA256 inside and outside what is signed',
  },
  sgx: {
    id: 'TDX-26',
    title: 'The SGX extension of the PCK certificate is complete and well-formed',
    code: 'sgx-extension-malformed',
    expected: 'each entry of its authority once, values in range, nothing unknown',
  },
} as const satisfies Record<string, PckRule>
