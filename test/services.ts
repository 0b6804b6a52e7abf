import { createHash, randomBytes } from 'node:crypto'
import { createAudiences, type Audience } from '../src/access/audiences.ts'
import type { AuditLine } from '../src/access/audit.ts'
import { createChallenges } from '../src/access/challenge.ts'
import { createClientAddress } from '../src/access/client-address.ts'
import { createCredentials, type Credential } from '../src/access/credentials.ts'
import { createRateLimits } from '../src/access/rate-limit.ts'
import type { Role } from '../src/access/roles.ts'
import { createSeal } from '../src/access/sealed.ts'
import { deriveKeys } from '../src/access/secrets.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import { strict } from '../src/appraisal/strict.ts'
import { amdLists, INTEL_STANDING } from '../src/collateral/address.ts'
import { createCollateralService } from '../src/collateral/keeper.ts'
import type { Fetched, Vendor } from '../src/collateral/source.ts'
import { offlineVendor } from '../src/collateral/vendor.ts'
import type { ReferenceSets } from '../src/appraisal/resolve-references.ts'
import { createPolicies } from '../src/policies/create.ts'
import { createReferences } from '../src/policies/references.ts'
import { withReferences } from '../src/policies/with-references.ts'
import type { FixedPolicy } from '../src/policies/policies.ts'
import { enrolmentOf, withEnrolling, type Enrolling } from '../src/service/enrolment.ts'
import { createMemo } from '../src/service/memo.ts'
import { createReadiness, type SettableReadiness } from '../src/service/readiness.ts'
import { createImaStates } from '../src/routes/ima-states.ts'
import type { Services } from '../src/routes/services.ts'
import type { FakeAmd } from '../src/simulator/amd.ts'
import { intelDocument, type FakeIntel } from '../src/simulator/intel.ts'
import { SIM_ENCLAVE } from '../src/simulator/enclave-report.ts'
import { SIM_MEASUREMENT } from '../src/simulator/report.ts'
import { SIM_MRTD } from '../src/simulator/td-report.ts'
import { memoryStores } from '../src/stores/memory.ts'
import type { Stores } from '../src/stores/stores.ts'
import { createLog } from '../src/telemetry/log.ts'
import { createTokenIssuer } from '../src/tokens/issuer.ts'
import { fixedTokenKeys } from '../src/tokens/key-ring.ts'
import { temporaryTokenKey } from '../src/tokens/keys.ts'
import { anchorsOf, pinnedAnchors } from '../src/verifiers/anchors.ts'
import { parseAmdAddress } from '../src/verifiers/snp/address.ts'
import type { Anchors, Mode } from '../src/verifiers/verifier.ts'
import type { App } from '../src/app.ts'
import { standingFor } from './collateral-lab.ts'
import { overSocket } from './socket.ts'

/** Bearer tokens of the fixture's operators, one for each role. */
export const TOKENS = {
  viewer: 'viewer-token',
  'policy-author': 'author-token',
  'policy-activator': 'activator-token',
  enroller: 'enroller-token',
  admin: 'admin-token',
} as const satisfies Record<Role, string>
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** What simulated guests and enclaves measure. */
const SNP = { measurements: [hex(SIM_MEASUREMENT)] }
const INTEL = { tdx: { mr_td: [hex(SIM_MRTD)] }, sgx: { mr_enclave: [hex(SIM_ENCLAVE.mrEnclave)] } }

/** The operators of the fixture. */
export const OPERATORS = [
  { name: 'watcher', roles: ['viewer'], tokenSha256: sha256(TOKENS.viewer) },
  { name: 'author', roles: ['policy-author'], tokenSha256: sha256(TOKENS['policy-author']) },
  { name: 'activator', roles: ['policy-activator'], tokenSha256: sha256(TOKENS['policy-activator']) },
  { name: 'enroller', roles: ['enroller'], tokenSha256: sha256(TOKENS.enroller) },
  { name: 'boss', roles: ['admin'], tokenSha256: sha256(TOKENS.admin) },
] as const satisfies readonly Credential[]

/** Lines on standard error with TEST_LOG=on. */
const log = createLog(process.env['TEST_LOG'] === 'on' ? 'info' : 'silent')

const audience = (name: string, policies: readonly string[], relyingPartyNonce: Audience['relyingPartyNonce'] = 'refuse'): Audience => ({
  name,
  policies,
  profile: 'lean',
  alg: 'ES256',
  relyingPartyNonce,
})

/** Policies of the fixture beside the built-in `strict`. */
const POLICIES = [
  { name: 'lab', snp: SNP, ...INTEL },
  { name: 'open', explain: 'full', snp: SNP, ...INTEL },
  {
    name: 'relying-party',
    key_binding: 'DANGEROUSLY_OPTIONAL',
    relying_party_nonce: 'allow',
    snp: { ...SNP, crl: { mode: 'prefer' } },
    ...INTEL,
  },
  { name: 'bearer', key_binding: 'DANGEROUSLY_OPTIONAL', snp: SNP, ...INTEL },
] as const

const AUDIENCES: readonly Audience[] = [
  audience('default', ['lab', 'strict']),
  audience('open', ['open']),
  audience('relying-party', ['relying-party'], 'allow'),
  audience('half-open', ['lab'], 'allow'),
  audience('half-closed', ['relying-party'], 'refuse'),
  audience('bearer', ['bearer']),
]

/** What a test may choose; the rest is as a freshly started service has it. */
export type TestOptions = {
  /** The vendor whose keys are trusted and whose documents can be had; absent: AMD's pinned keys and no network. */
  readonly amd?: FakeAmd
  /** The same for Intel, beside `amd`; absent: nobody of Intel's is trusted. */
  readonly intel?: FakeIntel
  readonly anchors?: Anchors
  readonly mode?: Mode
  readonly stores?: Stores
  readonly vendor?: Vendor
  readonly now?: () => Date
  readonly requestsPerMinute?: number
  readonly trustedProxies?: readonly string[]
  readonly policies?: readonly object[]
  readonly audiences?: readonly Audience[]
  /** Sets of reference values that are kept in files. */
  readonly sets?: ReferenceSets
  /** Whether a version must be activated by somebody else than its author; absent: no. */
  readonly separate?: boolean
  /** Whom the service enrols, and its authority; absent: nobody. */
  readonly enrolling?: Enrolling
  /** What keys are derived from: replicas share it. Absent: drawn. */
  readonly secret?: Uint8Array
  /** The last word: replaces whole services. */
  readonly services?: Partial<Services>
}

/** Real services in memory, with the simulator's AMD as the vendor and lists fetched. */
export type TestServices = {
  readonly services: Services
  readonly readiness: SettableReadiness
  readonly stores: Stores
  /** What was written to the audit log, oldest first. */
  readonly audit: readonly AuditLine[]
  readonly stop: () => Promise<void>
}

const DEFAULTS = {
  enrolling: undefined,
  mode: 'test' as Mode,
  now: () => new Date(),
  requestsPerMinute: 100_000,
  trustedProxies: [],
  policies: [],
  audiences: [],
  sets: new Map(),
  separate: false,
  services: {},
}

/** Services as main.ts assembles them, without files, sockets and processes. */
export async function testServices(options: TestOptions): Promise<TestServices> {
  const given = { ...DEFAULTS, secret: randomBytes(32), ...vendorDefaults(options), stores: memoryStores(), ...options }
  const { mode, stores, vendor, now, standing } = given
  const anchors = withEnrolling(given.anchors, given.enrolling)
  const keys = deriveKeys(given.secret, mode)
  const all = [...AUDIENCES, ...given.audiences]
  const references = await createReferences({
    readFixed: () => given.sets,
    recordFiles: async () => {},
    store: stores.documents,
    separateAuthorAndActivator: given.separate,
    now,
    log,
  })
  const documents = await createPolicies({
    readFixed: () => [
      { policy: strict, text: JSON.stringify(strict.document), managedBy: 'built-in' },
      ...[...POLICIES, ...given.policies].map(fromFile),
    ],
    folder: undefined,
    recordFiles: async () => {},
    store: stores.documents,
    audiences: all,
    floor: () => [],
    separateAuthorAndActivator: given.separate,
    now,
    log,
  })
  const policies = withReferences(documents, references)
  const collateral = createCollateralService({ anchors, store: stores.collateral, vendor, now, log, standing })
  await collateral.start()
  const readiness = createReadiness({ stores, collateral, policies, tokenKeys: { problems: () => [] }, anchors, now, log })
  const audit: AuditLine[] = []
  const issuer = mode === 'production' ? 'https://assay.example' : `https://${mode}.assay.invalid`
  const challenges = createChallenges({ key: keys.challenge, mode, store: stores.challenges, now, lifetimeSeconds: 300 })
  const memo = createMemo()
  const services: Services = {
    mode,
    issuer,
    version: '0.0.0',
    now,
    anchors,
    memo,
    signatures: 'pool',
    audiences: createAudiences(all),
    policies,
    references,
    challenges,
    enrolment: enrolmentOf(given.enrolling, { config: { issuer, mode }, keys, challenges, anchors, memo, now }),
    credentials: createCredentials(OPERATORS),
    rateLimits: createRateLimits({ requests: given.requestsPerMinute, seconds: 60 }),
    clientAddress: createClientAddress(given.trustedProxies),
    collateral,
    quotes: stores.quotes,
    imaStates: createImaStates(createSeal({ key: keys.sealed, purpose: 'ima-state', issuer, mode })),
    tokens: createTokenIssuer({ tokenKeys: fixedTokenKeys(signingKeysFor(all)), keys, issuer, mode, now }),
    jwksMaxAgeSeconds: 300,
    audit: { append: async (line) => void audit.push(line), close: async () => {} },
    log,
    limits: { bodyBytes: 2 * 1024 * 1024, eventLogBytes: 1024 * 1024, imaBytes: 16 * 1024 * 1024, inFlight: 256 },
    readiness,
    ...given.services,
  }
  return { services, readiness, stores, audit, stop: () => stop(services, readiness) }
}

/** One of each algorithm that an audience asks for. */
const signingKeysFor = (all: readonly Audience[]) => [...new Set(all.map(({ alg }) => alg))].map((alg) => temporaryTokenKey(alg))

function fromFile(document: object): FixedPolicy {
  const text = JSON.stringify(document)
  return { policy: readPolicy(text, 'fixture'), text, managedBy: 'files' }
}

function vendorDefaults({ amd, intel }: TestOptions) {
  if (amd === undefined) return { anchors: pinnedAnchors, vendor: offlineVendor, standing: () => [] }
  const standing = standingFor(amdLists(amd.products))
  if (intel === undefined) return { anchors: anchorsOf(amd.anchors()), vendor: vendorOf(amd), standing }
  return {
    anchors: anchorsOf(amd.anchors(), intel.anchors()),
    vendor: withIntel(intel, vendorOf(amd)),
    standing: () => [...standing(), ...standingFor(INTEL_STANDING)()],
  }
}

async function stop({ collateral, policies }: Services, readiness: SettableReadiness): Promise<void> {
  readiness.stop()
  policies.stop()
  await collateral.stop()
}

/** The fake AMD as a vendor without HTTP: lists, and the VCEK of every chip that exists in it. */
export function vendorOf(amd: FakeAmd, overrides: (address: string) => Fetched | undefined = () => undefined): Vendor {
  return { fetch: async ({ address }) => overrides(address) ?? documentOf(amd, address) }
}

/** The fake Intel as a vendor without HTTP, beside another. */
export const withIntel = (
  intel: FakeIntel,
  other: Vendor,
  overrides: (address: string) => Fetched | undefined = () => undefined,
): Vendor => ({
  fetch: async (request) =>
    request.address.startsWith('intel/')
      ? (overrides(request.address) ?? { outcome: 'found', bytes: intelDocument(intel, request.address) })
      : other.fetch(request),
})

function documentOf(amd: FakeAmd, address: string): Fetched {
  const document = parseAmdAddress(address)
  if (document === undefined) return { outcome: 'not-found' }
  const { product } = document
  if (document.kind === 'crl') return { outcome: 'found', bytes: amd.crl({ product, endpoint: document.endpoint }) }
  if (!amd.knows(product, document.hwid)) return { outcome: 'not-found' }
  const hwid = new Uint8Array(Buffer.from(document.hwid, 'hex'))
  return { outcome: 'found', bytes: amd.vcek({ product, hwid, tcb: document.tcb }).der }
}

/** The app as a `fetch` for the simulator’s hosts, over a real socket. */
export const fetchOf =
  (app: App) =>
  (url: string, init: RequestInit): Promise<Response> =>
    overSocket(app, url, init)
