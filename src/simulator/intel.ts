import {
  parseIntelAddress,
  pckCrlAddress,
  qeIdentityAddress,
  rootCaCrlAddress,
  tcbInfoAddress,
  type IntelDocument,
  type IntelTee,
  type IntelUpdate,
} from '../verifiers/tdx/address.ts'
import { writeVendorDocument, type VendorDocument } from '../verifiers/tdx/document.ts'
import type { CollateralAddress, IntelAnchor } from '../verifiers/verifier.ts'
import { certifyIntel, mintIntel, type IntelAuthority, type IntelRole } from './intel-authorities.ts'
import { mintIntelCrl, type IntelCrlRequest } from './intel-crl.ts'
import {
  mintEvaluationNumbers,
  mintQeIdentity,
  mintTcbInfo,
  SIM_FMSPC,
  type QeIdentityRequest,
  type TcbInfoRequest,
} from './intel-documents.ts'
import { pem } from './envelopes.ts'
import type { CertificateOverrides } from './overrides.ts'
import { certifyPck, type FakePck, type PckRequest } from './pck.ts'

/**
 * An Intel of our own: root, PCK CAs, TCB signer, PCK certificates, revocation lists and signed TCB documents that are like the real ones in
 * everything but the keys and the marker. All keys live in memory and end with the process.
 */
export type FakeIntel = {
  readonly now: Date
  /** What a verifier must trust to accept this Intel; `origin` is `test`. */
  readonly anchors: () => readonly IntelAnchor[]
  readonly authority: (role: IntelRole) => IntelAuthority
  /** Another certificate for an authority, by default for its own key and signed by the root. */
  readonly reissue: (role: IntelRole, overrides?: CertificateOverrides) => IntelAuthority
  /** A new platform's key. */
  readonly pck: (request?: PckRequest) => FakePck
  readonly tcbInfo: (request?: TcbInfoRequest) => VendorDocument
  readonly qeIdentity: (request?: QeIdentityRequest) => VendorDocument
  /** A list alone, DER. */
  readonly crl: (request: IntelCrlRequest) => Uint8Array
  /** Which evaluation numbers are on offer. */
  readonly evaluationNumbers: (tee: IntelTee) => VendorDocument
  readonly fmspcs: () => readonly string[]
  /** Whether a platform of this FMSPC (lower-case hex) was ever made. */
  readonly knows: (fmspc: string) => boolean
  /** A platform's key by its PPID (lower-case hex). */
  readonly platform: (ppid: string) => FakePck | undefined
  /** The document at one address, as a vendor's client hands it on. */
  readonly document: (address: IntelDocument) => VendorDocument
}

/** Mints the authorities; takes a few milliseconds. `now`: when certificates are made (default: now); documents are an hour older. */
export function fakeIntel({ now = new Date() }: { readonly now?: Date } = {}): FakeIntel {
  const authorities = mintIntel(now)
  const { root } = authorities
  const signer = { now, privateKey: authorities['tcb-signing'].privateKey, chain: [authorities['tcb-signing'].der, root.der] }
  const fmspcs = new Set<string>()
  const platforms = new Map<string, FakePck>()
  const intel = {
    now,
    anchors: () => [{ spki: new Uint8Array(root.publicKey.export({ type: 'spki', format: 'der' })), origin: 'test' as const }],
    authority: (role: IntelRole) => authorities[role],
    reissue: (role: IntelRole, overrides: CertificateOverrides = {}) =>
      certifyIntel(
        { role, now },
        { ...(role === 'root' ? {} : { signedBy: root }), ...overrides, keys: overrides.keys ?? authorities[role] },
      ),
    pck: (request: PckRequest = {}) => {
      const pck = certifyPck(request, { issuer: authorities[request.ca ?? 'platform'], root, now })
      fmspcs.add(hex(pck.fields.fmspc))
      platforms.set(hex(pck.fields.ppid), pck)
      return pck
    },
    tcbInfo: (request: TcbInfoRequest = {}) => mintTcbInfo(signer, request),
    qeIdentity: (request: QeIdentityRequest = {}) => mintQeIdentity(signer, request),
    evaluationNumbers: (tee: IntelTee) => mintEvaluationNumbers(signer, tee),
    fmspcs: () => [...fmspcs],
    crl: (request: IntelCrlRequest) => mintIntelCrl(authorities[request.issuer], request, now),
    knows: (fmspc: string) => fmspcs.has(fmspc),
    platform: (ppid: string) => platforms.get(ppid),
  }
  return { ...intel, document: (address) => documentAt(intel, address) }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function documentAt(intel: Omit<FakeIntel, 'document'>, address: IntelDocument): VendorDocument {
  if (address.kind === 'tcb-info') return intel.tcbInfo(address)
  if (address.kind === 'qe-identity') return intel.qeIdentity(address)
  if (address.kind === 'pck-crl') return pckCrlDocument(intel, { issuer: address.ca })
  return { body: intel.crl({ issuer: 'root' }), issuerChain: new Uint8Array() }
}

/** A PCK revocation list with the chain that travels beside it. */
export function pckCrlDocument(
  intel: Pick<FakeIntel, 'authority' | 'crl'>,
  request: IntelCrlRequest & { readonly issuer: 'platform' | 'processor' },
): VendorDocument {
  const chain = [intel.authority(request.issuer).der, intel.authority('root').der].map((der) => pem(der)).join('')
  return { body: intel.crl(request), issuerChain: new Uint8Array(Buffer.from(chain)) }
}

/** Which platform documents are for; default: the simulator's TDX hosts. */
export type PlatformOf = {
  readonly tee?: IntelTee
  readonly fmspc?: string
  readonly ca?: 'platform' | 'processor'
  /** Default: `standard` alone. */
  readonly updates?: readonly IntelUpdate[]
}

/** The addresses of everything that appraising a platform takes. */
export function intelAddresses({
  tee = 'tdx',
  fmspc = SIM_FMSPC,
  ca = 'platform',
  updates = ['standard'],
}: PlatformOf = {}): readonly CollateralAddress[] {
  const perUpdate = updates.flatMap((update) => [tcbInfoAddress(tee, fmspc, update), qeIdentityAddress(tee, update)])
  return [rootCaCrlAddress, pckCrlAddress(ca), ...perUpdate]
}

/** The bytes that a verifier is given for an address. Throws for addresses that are not of Intel. */
export function intelDocument(intel: FakeIntel, address: CollateralAddress): Uint8Array {
  const document = parseIntelAddress(address)
  if (document === undefined) throw new Error(`${address} is no address of Intel`)
  return writeVendorDocument(intel.document(document))
}

/** Everything that appraising a platform takes, as a verifier is given it. */
export const intelCollateral = (intel: FakeIntel, platform: PlatformOf = {}): Map<CollateralAddress, Uint8Array> =>
  new Map(intelAddresses(platform).map((address) => [address, intelDocument(intel, address)]))
