import type { CollateralAddress } from '../verifier.ts'

/** Whether a document is about TDX platforms or about SGX alone. */
export type IntelTee = 'tdx' | 'sgx'
/** Intel offers each status document twice: `early` knows of a TCB recovery at once, `standard` after a grace period (specification tdx.md section 4). */
export type IntelUpdate = 'standard' | 'early'
/** Which authority issued a PCK certificate. */
export type PckCa = 'platform' | 'processor'

/** What an `intel/…` address names. */
export type IntelDocument =
  | { readonly kind: 'tcb-info'; readonly tee: IntelTee; readonly fmspc: string; readonly update: IntelUpdate }
  | { readonly kind: 'qe-identity'; readonly tee: IntelTee; readonly update: IntelUpdate }
  | { readonly kind: 'pck-crl'; readonly ca: PckCa }
  | { readonly kind: 'root-ca-crl' }

/** The address of a TCB info: `intel/tcb-info/tdx/00806f050000/standard`; FMSPC in lower-case hex. */
export const tcbInfoAddress = (tee: IntelTee, fmspc: string, update: IntelUpdate): CollateralAddress =>
  `intel/tcb-info/${tee}/${fmspc}/${update}`

/** The address of the identity of a quoting enclave: `intel/qe-identity/tdx/standard`. */
export const qeIdentityAddress = (tee: IntelTee, update: IntelUpdate): CollateralAddress => `intel/qe-identity/${tee}/${update}`

/** The address of a PCK revocation list: `intel/pck-crl/platform`. */
export const pckCrlAddress = (ca: PckCa): CollateralAddress => `intel/pck-crl/${ca}`

/** The address of the root's revocation list. */
export const rootCaCrlAddress: CollateralAddress = 'intel/root-ca-crl'

const TCB_INFO = /^intel\/tcb-info\/(tdx|sgx)\/([0-9a-f]{12})\/(standard|early)$/
const QE_IDENTITY = /^intel\/qe-identity\/(tdx|sgx)\/(standard|early)$/
const PCK_CRL = /^intel\/pck-crl\/(platform|processor)$/

/** Reads an `intel/…` address; undefined for any other text. */
export function parseIntelAddress(address: string): IntelDocument | undefined {
  if (address === rootCaCrlAddress) return { kind: 'root-ca-crl' }
  return readTcbInfo(address) ?? readQeIdentity(address) ?? readPckCrl(address)
}

const teeOf = (text: string | undefined): IntelTee => (text === 'tdx' ? 'tdx' : 'sgx')
const updateOf = (text: string | undefined): IntelUpdate => (text === 'early' ? 'early' : 'standard')

function readTcbInfo(address: string): IntelDocument | undefined {
  const [, tee, fmspc, update] = TCB_INFO.exec(address) ?? []
  return fmspc === undefined ? undefined : { kind: 'tcb-info', tee: teeOf(tee), fmspc, update: updateOf(update) }
}

function readQeIdentity(address: string): IntelDocument | undefined {
  const [, tee, update] = QE_IDENTITY.exec(address) ?? []
  return tee === undefined ? undefined : { kind: 'qe-identity', tee: teeOf(tee), update: updateOf(update) }
}

function readPckCrl(address: string): IntelDocument | undefined {
  const [, ca] = PCK_CRL.exec(address) ?? []
  return ca === undefined ? undefined : { kind: 'pck-crl', ca: ca === 'platform' ? 'platform' : 'processor' }
}
