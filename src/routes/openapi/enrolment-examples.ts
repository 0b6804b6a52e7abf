const bytes = (length: number): string => Buffer.alloc(length).toString('base64')
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB…\n-----END CERTIFICATE-----\n'

const ABOUT = { ek_public_key_sha256: '5e'.repeat(32), ak_name: `000b${'a7'.repeat(32)}`, basis: 'listed' }

/** Bodies of POST /v1/tpm/enrolments. Bytes are shortened or zero. */
export const ENROLMENT_REQUESTS = {
  certificate: {
    summary: 'A TPM with a certificate of its manufacturer',
    value: { ek_certificate: PEM, ek_chain: [PEM], ak_public: bytes(282) },
  },
  listed: { summary: 'A TPM without one, which the operator lists', value: { ek_public: bytes(316), ak_public: bytes(90) } },
}

/** Bodies of POST /v1/tpm/enrolments/activations. */
export const ENROLMENT_ACTIVATION_REQUESTS = {
  secret: { summary: 'What the TPM gave up', value: { state: bytes(96), secret: bytes(32) } },
}

/** Answers of both. */
export const ENROLMENT_ANSWERS = {
  begun: {
    credential_blob: bytes(70),
    encrypted_secret: bytes(258),
    tpm2_tools_credential: bytes(336),
    state: bytes(96),
    expires_at: '2026-01-31T12:01:00.000Z',
    ...ABOUT,
  },
  finished: { ak_certificate: PEM, chain: [PEM], expires_at: '2026-02-01T12:00:00.000Z', ...ABOUT },
}
