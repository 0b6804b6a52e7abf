/** TPM-18 to TPM-24 and TPM-31 (specification tpm.md section 16). */
export const TRUST_RULES = {
  model: {
    id: 'TPM-18',
    title: 'The evidence carries what a model that the policy accepts goes by',
    code: 'tpm-ak-untrusted',
    expected: 'one of the models of the policy',
  },
  chain: {
    id: 'TPM-19',
    title: 'The certificate of the attestation key leads to an anchor',
    code: 'tpm-ak-cert-chain-invalid',
    expected: 'a chain of six at most, every authority fit to be one, every signature with SHA-256 or better',
  },
  dates: {
    id: 'TPM-20',
    title: 'Every certificate of the chain is valid now',
    code: 'tpm-ak-cert-expired',
    expected: 'notBefore and notAfter around the time of verification',
  },
  key: {
    id: 'TPM-21',
    title: 'The certificate is that of the key whose public area was sent',
    code: 'tpm-ak-cert-key-mismatch',
    expected: 'the same key',
  },
  usage: {
    id: 'TPM-22',
    title: 'The certificate is one for an attestation key',
    code: 'tpm-ak-cert-usage-invalid',
    expected: 'no authority, keyUsage digitalSignature, extended key usage 2.23.133.8.3 (under Google also 2.23.133.8.1)',
  },
  revocation: { id: 'TPM-23', title: 'No certificate of the chain is revoked', code: 'tpm-ak-cert-revoked' },
  gce: {
    id: 'TPM-24',
    title: 'The identity of the instance is Google’s to give, and that of one in production',
    code: 'tpm-gce-identity-invalid',
    expected: 'an identity under an anchor of Google, in production; or none',
  },
  enrolled: {
    id: 'TPM-31',
    title: 'The attestation key is one that the policy enrolled',
    code: 'tpm-ak-not-enrolled',
    expected: 'its name, or the digest of its public key, in the policy’s list',
  },
  denied: {
    id: 'TPM-31',
    title: 'Neither the attestation key nor its endorsement key is revoked by the operator',
    code: 'tpm-ak-revoked',
    expected: 'neither on the policy’s lists of keys that never count again',
  },
  basis: {
    id: 'TPM-31',
    title: 'The TPM is still one that the operator and the policy accept',
    code: 'tpm-ek-not-listed',
    expected: 'a basis of enrolment that the policy accepts, and an endorsement key that is still listed',
  },
} as const
