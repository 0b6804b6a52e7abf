import { problemOf, statusOf, type ProblemCode } from '../../verifiers/problems.ts'
import { KIND_MEANINGS } from '../problem-pages.ts'
import { EXAMPLE_CLAIMS, EXAMPLE_MEASUREMENT } from './example-claims.ts'

const ISSUER = 'https://attest.example'
const REQUEST_ID = '7d444840-9dc0-41d1-b245-5ffdce74fad2'
const NONCE = 'Z06pGgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA='
const SHA256 = '9f'.repeat(32)
/** A real report has 1184 bytes, a real quote about 5000, a real certificate about 1400. */
const SHORTENED = 'AwAAAAAAAAA='
const CNF_JWK = {
  kty: 'EC',
  crv: 'P-256',
  x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
  y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
}
const CNF_PROOF = 'MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEfp2BsN32KgIgTcoRYwKl7RSj6JnFVF9Xo6bqk8tlBJ1FfbSvBp4rjcY='

/** Bodies of POST /v1/appraisals. Their reports and quotes are shortened, so that posting them as they are is answered with a problem. */
export const APPRAISAL_REQUESTS = {
  report: {
    summary: 'A report with its VCEK, bound to a key',
    value: {
      evidence: [{ type: 'snp', report: SHORTENED, certificates: [SHORTENED] }],
      nonce: NONCE,
      cnf_jwk: CNF_JWK,
      cnf_proof: CNF_PROOF,
      audience: 'https://cluster.example',
      policy: 'strict-eu',
    },
  },
  certificate_table: {
    summary: 'What the extended guest request gives',
    value: { evidence: [{ type: 'snp', report_response: SHORTENED, cert_table: SHORTENED }], nonce: NONCE, runtime_data: 'aGVsbG8=' },
  },
  configfs_tsm: {
    summary: 'The files of configfs-tsm, untouched',
    value: { evidence: [{ type: 'tsm', provider: 'sev_guest', outblob: SHORTENED, auxblob: SHORTENED }], nonce: NONCE },
  },
  tdx_quote: {
    summary: 'A TDX quote with the log of its boot, bound to a key',
    value: {
      evidence: [{ type: 'tdx', quote: SHORTENED, event_log: SHORTENED }],
      nonce: NONCE,
      cnf_jwk: CNF_JWK,
      cnf_proof: CNF_PROOF,
    },
  },
  tdx_configfs_tsm: {
    summary: 'The quote that configfs-tsm gives in a TDX guest',
    value: { evidence: [{ type: 'tsm', provider: 'tdx_guest', outblob: SHORTENED }], nonce: NONCE },
  },
  sgx_quote: {
    summary: 'An SGX quote with its PCK chain beside it',
    value: { evidence: [{ type: 'sgx', quote: SHORTENED, certificates: [SHORTENED] }], nonce: NONCE },
  },
  tpm_quote: {
    summary: 'A TPM quote with the certificate of its key and the log of the boot',
    value: {
      evidence: [
        {
          type: 'tpm',
          quotes: [{ quote: SHORTENED, signature: SHORTENED, pcrs: { sha256: { '7': 'b5'.repeat(32) } } }],
          ak_public: SHORTENED,
          ak_certificates: [SHORTENED],
          event_log: SHORTENED,
        },
      ],
      nonce: NONCE,
    },
  },
  nonce_binding: {
    summary: 'REPORT_DATA is a nonce of the relying party',
    value: {
      evidence: [{ type: 'snp', report: SHORTENED, certificates: [SHORTENED] }],
      relying_party_nonce: 'c29tZSBub25jZQ==',
      binding: 'nonce',
    },
  },
}

/** Bodies of POST /v1/inspections. */
export const INSPECTION_REQUESTS = {
  report: { summary: 'A report', value: { evidence: [{ type: 'snp', report: SHORTENED }] } },
  quote: { summary: 'A quote with its log', value: { evidence: [{ type: 'tdx', quote: SHORTENED, event_log: SHORTENED }] } },
  tpm: {
    summary: 'A quote of a TPM with the public area of its key',
    value: {
      evidence: [{ type: 'tpm', quotes: [{ quote: SHORTENED, signature: SHORTENED, pcrs: {} }], ak_public: SHORTENED }],
    },
  },
}

/** Bodies of POST /v1/challenges, which may also be left out. */
export const CHALLENGE_REQUESTS = { empty: { summary: 'Nothing to choose', value: {} } }

const CHECKS = [
  { id: 'SNP-50', title: 'The report is signed by the endorsement key', outcome: 'pass', origin: 'specification' },
  { id: 'SNP-52', title: 'The launch measurement is on the list', outcome: 'pass', actual: EXAMPLE_MEASUREMENT, origin: 'policy' },
]

const APPRAISAL = {
  id: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  mode: 'production',
  status: 'affirming',
  policy: { name: 'strict-eu', version: 1, sha256: SHA256 },
  freshness: 'challenge',
  evidence: [
    {
      label: 'cpu0',
      type: 'snp',
      status: 'affirming',
      trustworthiness: {
        'instance-identity': 0,
        configuration: 2,
        executables: 3,
        'file-system': 0,
        hardware: 2,
        'runtime-opaque': 2,
        'storage-opaque': 0,
        'sourced-data': 0,
      },
      fresh: true,
      checks: CHECKS,
      claims: { snp: EXAMPLE_CLAIMS },
      advisories: [],
    },
  ],
  valid_until: '2026-12-31T00:00:00.000Z',
  evidence_digest: SHA256,
  collateral: { digest: SHA256, oldest_fetch: '2026-11-23T00:00:00.000Z', earliest_expiry: '2026-12-31T00:00:00.000Z' },
}

const TOKEN = 'eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl'

/** One answer of each operation that succeeds. */
export const ANSWERS = {
  challenge: { nonce: NONCE, expires_at: '2026-11-24T12:05:00.000Z' },
  appraisal: { token: TOKEN, appraisal: APPRAISAL },
  token: TOKEN,
  inspection: { verified: false, inspections: [{ type: 'snp', report: { version: 3 } }] },
  collateral: {
    collateral: [
      {
        address: 'amd/crl/Genoa/vcek',
        kind: 'crl',
        fetched_at: '2026-11-23T00:00:00.000Z',
        expires_at: '2026-12-31T00:00:00.000Z',
        next_refresh: '2026-12-12T00:00:00.000Z',
        state: 'fresh',
      },
    ],
    tpm_authorities: [
      {
        sha256: '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2',
        authority: 'google',
        roles: ['ak', 'ek'],
        subject: null,
        not_after: null,
        state: 'not-at-hand',
      },
    ],
    withheld: 12,
  },
  jwks: { keys: [{ ...CNF_JWK, kid: 'oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U', alg: 'ES256', use: 'sig' }] },
  discovery: {
    issuer: ISSUER,
    jwks_uri: `${ISSUER}/.well-known/jwks.json`,
    id_token_signing_alg_values_supported: ['ES256'],
    subject_types_supported: ['public'],
    response_types_supported: ['id_token'],
    claims_supported: ['iss', 'sub', 'aud', 'exp'],
    attestation_endpoint: `${ISSUER}/v1/appraisals`,
    nonce_endpoint: `${ISSUER}/v1/challenges`,
    token_profiles_supported: ['lean'],
    evidence_types_supported: ['snp', 'tdx', 'sgx', 'tpm', 'tsm'],
  },
  alive: { status: 'alive' },
  ready: { status: 'ready', mode: 'production', version: '0.1.0', alarms: [] },
}

/** The answer with which a code is reported. */
export function problemExample(code: ProblemCode) {
  const { title, kind, remedy } = problemOf(code)
  return { type: `${ISSUER}/problems/${code}`, title, status: statusOf(code), instance: `urn:uuid:${REQUEST_ID}`, code, kind, remedy }
}

/** The page of a code, as JSON. */
export function problemPageExample(code: ProblemCode) {
  const { title, kind, remedy } = problemOf(code)
  return { type: `${ISSUER}/problems/${code}`, code, title, kind, status: statusOf(code), meaning: KIND_MEANINGS[kind], remedy }
}
