import { hexOf } from '../der-values.ts'
import { hex16 } from './algorithms.ts'
import type { Attest, Attested } from './attest.ts'
import { algorithmName } from './inspect-names.ts'

/** TPMS_CLOCK_INFO; `clock` in milliseconds, decimal. */
type ClockView = {
  readonly clock: string
  readonly reset_count: number
  readonly restart_count: number
  readonly safe: boolean
}

/** What is attested to, by type (specification tpm.md section 2). Byte fields in lower-case hex, numbers of 64 bits decimal. */
type AttestedViews = {
  readonly quote: {
    readonly pcr_select: readonly { readonly hash: string; readonly pcrs: readonly number[] }[]
    readonly pcr_digest: string
  }
  readonly certify: { readonly name: string; readonly qualified_name: string }
  readonly creation: { readonly object_name: string; readonly creation_hash: string }
  readonly time: { readonly time: string; readonly clock_info: ClockView; readonly firmware_version: string }
  readonly nv: { readonly index_name: string; readonly offset: number; readonly nv_contents: string }
  readonly 'nv-digest': { readonly index_name: string; readonly nv_digest: string }
  readonly 'command-audit': {
    readonly audit_counter: string
    readonly digest_alg: string
    readonly audit_digest: string
    readonly command_digest: string
  }
  readonly 'session-audit': { readonly exclusive_session: boolean; readonly session_digest: string }
}

type AttestedType = Attested['type']
type AttestedOf<T extends AttestedType> = Extract<Attested, { type: T }>

/** Every field of TPMS_ATTEST, unverified. */
export type AttestView = {
  /** Whether it came with a length in front. */
  readonly form: 'TPMS_ATTEST' | 'TPM2B_ATTEST'
  readonly type: AttestedType
  readonly qualified_signer: string
  readonly extra_data: string
  readonly clock_info: ClockView
  /** 16 hexadecimal digits. */
  readonly firmware_version: string
  readonly attested: AttestedViews[AttestedType]
}

const VIEWS: { readonly [T in AttestedType]: (attested: AttestedOf<T>) => AttestedViews[T] } = {
  quote: ({ pcrSelect, pcrDigest }) => ({
    pcr_select: pcrSelect.map(({ bank, hash, pcrs }) => ({ hash: bank ?? hex16(hash), pcrs })),
    pcr_digest: hexOf(pcrDigest),
  }),
  certify: ({ name, qualifiedName }) => ({ name: hexOf(name), qualified_name: hexOf(qualifiedName) }),
  creation: ({ objectName, creationHash }) => ({ object_name: hexOf(objectName), creation_hash: hexOf(creationHash) }),
  time: ({ time, clockInfo, firmwareVersion }) => ({
    time: String(time),
    clock_info: clockView(clockInfo),
    firmware_version: hex64(firmwareVersion),
  }),
  nv: ({ indexName, offset, nvContents }) => ({ index_name: hexOf(indexName), offset, nv_contents: hexOf(nvContents) }),
  'nv-digest': ({ indexName, nvDigest }) => ({ index_name: hexOf(indexName), nv_digest: hexOf(nvDigest) }),
  'command-audit': ({ auditCounter, digestAlg, auditDigest, commandDigest }) => ({
    audit_counter: String(auditCounter),
    digest_alg: algorithmName(digestAlg),
    audit_digest: hexOf(auditDigest),
    command_digest: hexOf(commandDigest),
  }),
  'session-audit': ({ exclusiveSession, sessionDigest }) => ({
    exclusive_session: exclusiveSession,
    session_digest: hexOf(sessionDigest),
  }),
}

const attestedView = <T extends AttestedType>(attested: AttestedOf<T> & { readonly type: T }): AttestedViews[T] =>
  VIEWS[attested.type](attested)

const clockView = ({ clock, resetCount, restartCount, safe }: Attest['clockInfo']): ClockView => ({
  clock: String(clock),
  reset_count: resetCount,
  restart_count: restartCount,
  safe,
})

const hex64 = (value: bigint): string => value.toString(16).padStart(16, '0')

/** Every field of an attestation; `given`: the bytes that it was read from. */
export const attestView = (attest: Attest, given: Uint8Array): AttestView => ({
  form: given.length === attest.bytes.length ? 'TPMS_ATTEST' : 'TPM2B_ATTEST',
  type: attest.attested.type,
  qualified_signer: hexOf(attest.qualifiedSigner),
  extra_data: hexOf(attest.extraData),
  clock_info: clockView(attest.clockInfo),
  firmware_version: hex64(attest.firmwareVersion),
  attested: attestedView(attest.attested),
})
