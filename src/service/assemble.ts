import { availableParallelism } from 'node:os'
import { createAudiences } from '../access/audiences.ts'
import type { AuditLog } from '../access/audit.ts'
import { createChallenges, type Challenges } from '../access/challenge.ts'
import { createClientAddress } from '../access/client-address.ts'
import { createCredentials, type Credentials } from '../access/credentials.ts'
import { createRateLimits } from '../access/rate-limit.ts'
import { createSeal } from '../access/sealed.ts'
import type { DerivedKeys } from '../access/secrets.ts'
import { createCollateralService } from '../collateral/keeper.ts'
import { withDocuments } from '../collateral/given.ts'
import type { CollateralService } from '../collateral/service.ts'
import type { Vendor } from '../collateral/source.ts'
import type { Config } from '../config.ts'
import type { Grounds } from '../config/grounds.ts'
import { fixedPolicies } from '../config/policies.ts'
import { createPolicies } from '../policies/create.ts'
import { withReferences } from '../policies/with-references.ts'
import { referencesOf } from './references.ts'
import { floorOf } from '../policies/reading.ts'
import type { Policies } from '../policies/policies.ts'
import type { PolicySet } from '../appraisal/policy-set.ts'
import { clockOf } from './clock.ts'
import { enrollingOf, enrolmentOf, withEnrolling } from './enrolment.ts'
import type { FileChanges } from './file-changes.ts'
import { createMemo } from './memo.ts'
import { signaturePlace } from './threads.ts'
import { createReadiness, type SettableReadiness } from './readiness.ts'
import { knownPolicies, standingOf } from './standing.ts'
import { version } from './version.ts'
import { createImaStates } from '../routes/ima-states.ts'
import type { Services } from '../routes/services.ts'
import type { Stores } from '../stores/stores.ts'
import type { Telemetry } from '../telemetry/log.ts'
import { createTokenIssuer } from '../tokens/issuer.ts'
import type { KeyRing } from '../tokens/key-ring.ts'

/** What one process is made of: its own parts, and those that all processes of a machine share. */
export type Parts = {
  readonly config: Config
  readonly grounds: Omit<Grounds, 'mode'>
  readonly keys: DerivedKeys
  readonly stores: Stores
  readonly vendor: Vendor
  readonly audit: AuditLog
  readonly files: FileChanges
  readonly tokenKeys: KeyRing
  readonly log: Telemetry
}

/** Services with what starts and ends them. */
export type Assembled = { readonly services: Services; readonly readiness: SettableReadiness; readonly close: () => Promise<void> }

/** Builds the services of one process. Nothing listens yet. */
export async function assemble(given: Parts): Promise<Assembled> {
  const enrolling = await enrollingOf(given.config)
  const parts = { ...given, grounds: { ...given.grounds, anchors: withEnrolling(given.grounds.anchors, enrolling) } }
  const { config, grounds, keys, stores, audit, log } = parts
  const now = clockOf(config)
  const references = await referencesOf(parts, now)
  const policies = withReferences(await policiesOf(parts, now), references)
  const collateral = withDocuments(collateralOf(parts, knownPolicies(policies, config), now), grounds.documents)
  const readiness = createReadiness({ stores, collateral, policies, tokenKeys: parts.tokenKeys, anchors: grounds.anchors, now, log })
  const challenges = challengesOf(parts, readiness, now)
  const [anchors, memo] = [grounds.anchors, createMemo()]
  const services: Services = {
    mode: config.mode,
    issuer: config.issuer,
    version: version(),
    now,
    anchors,
    memo,
    signatures: signaturePlace(availableParallelism(), config.processes),
    audiences: createAudiences(config.audiences),
    policies,
    references,
    challenges,
    enrolment: enrolmentOf(enrolling, { config, keys, challenges, anchors, memo, now }),
    credentials: await credentialsOf(config, now),
    rateLimits: createRateLimits({ requests: config.rateLimit.requests, seconds: config.rateLimit.perSeconds }),
    clientAddress: createClientAddress(config.trustedProxies),
    collateral,
    quotes: stores.quotes,
    imaStates: createImaStates(createSeal({ key: keys.sealed, purpose: 'ima-state', issuer: config.issuer, mode: config.mode })),
    tokens: tokenIssuer(parts, now),
    jwksMaxAgeSeconds: config.tokenKeys.maxAgeSeconds,
    audit,
    log,
    limits: config.limits,
    readiness,
  }
  return { services, readiness, close: () => end(services, readiness) }
}

const challengesOf = ({ config, keys, stores }: Parts, { newestSignedDate }: SettableReadiness, now: () => Date): Challenges =>
  createChallenges({
    key: keys.challenge,
    mode: config.mode,
    store: stores.challenges,
    now,
    lifetimeSeconds: config.challengeLifetimeSeconds,
    newestSignedDate,
  })

async function end({ collateral, policies }: Services, readiness: SettableReadiness): Promise<void> {
  readiness.stop()
  policies.stop()
  await collateral.stop()
}

/** Whoever is not configured by token is asked of the identity provider, if there is one; its machinery is loaded only then. */
async function credentialsOf({ credentials, oidc }: Config, now: () => Date): Promise<Credentials> {
  if (oidc === undefined) return createCredentials(credentials)
  const { oidcReader } = await import('../access/oidc.ts')
  return createCredentials(credentials, oidcReader(oidc, now))
}

function policiesOf({ config, stores, files, log }: Parts, now: () => Date): Promise<Policies> {
  return createPolicies({
    readFixed: () => fixedPolicies(config),
    folder: config.policyDir,
    recordFiles: (documents) => files.record('policies', documents),
    store: stores.documents,
    audiences: config.audiences,
    floor: floorOf(config.lift),
    separateAuthorAndActivator: config.separateAuthorAndActivator,
    now,
    log,
  })
}

function collateralOf(parts: Parts, policies: () => PolicySet, now: () => Date): CollateralService {
  const { grounds, stores, vendor, log } = parts
  return createCollateralService({
    anchors: grounds.anchors,
    store: stores.collateral,
    vendor,
    now,
    log,
    standing: () => standingOf({ ...parts, policies: policies() }),
  })
}

function tokenIssuer({ config, keys, tokenKeys }: Parts, now: () => Date) {
  const { mode, issuer, tokenLifetimeSeconds: lifetimeSeconds } = config
  const ear = { profile: config.earProfile, build: `assay ${version()}` }
  return createTokenIssuer({ tokenKeys, keys, issuer, mode, now, lifetimeSeconds, ear })
}
