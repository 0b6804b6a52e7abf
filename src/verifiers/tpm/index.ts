import { failed, hasOutcome, skipped } from '../checks.ts'
import type { Anchors, Check, Collateral, Context, Finding, TpmEvidence, Unverified, Verifier } from '../verifier.ts'
import { judgeBootInTurns, type BootJudgement } from './boot/judge.ts'
import { claimsOf, type Proven } from './claims-of.ts'
import type { QuoteClock } from './context.ts'
import type { AkFact } from './facts.ts'
import { judgeIma, type ImaJudgement } from './ima/judge.ts'
import { judgePcrs, type PcrJudgement } from './pcrs.ts'
import { checkClock, checkConsistency, checkNonce, checkSigner, clockOf } from './quote-checks.ts'
import { readEvidence, type ReadQuote, type TpmReading } from './read.ts'
import type { TrustJudgement } from './trust/input.ts'
import { judgeTrust, trustNeeds } from './trust/judge.ts'

type Grounds = { readonly anchors: Anchors; readonly collateral: Collateral; readonly context: Context }
type Read = TpmReading & { readonly evidence: TpmEvidence }

/** TPM-18 to 31: does what the policy accepts vouch for the key? A key that nobody can read vouches for nothing. */
function judgeKey({ evidence, ak }: Read, { anchors, collateral, context }: Grounds): TrustJudgement {
  const akPublic = ak?.area === undefined ? undefined : { name: ak.area.name, spki: ak.spki }
  const judged = judgeTrust({ akPublic, certificates: evidence.akCertificates, anchors, collateral, context })
  if (isSilent(judged)) return { checks: [...judged.checks, failed(TRUSTED, 'nothing vouches for it')] }
  return isSameKey(ak, judged) ? judged : { checks: [...judged.checks, failed(VERIFIED_KEY, 'another key, or none')] }
}

/** Neither trust nor a reason against it: that is no trust. */
const isSilent = ({ checks, trust, undecided }: TrustJudgement): boolean =>
  trust === undefined && undecided === undefined && !hasOutcome(checks, 'fail')

const TRUSTED = {
  id: 'TPM-18',
  title: 'The attestation key is trusted',
  code: 'tpm-ak-untrusted',
  expected: 'a model that the policy accepts',
} as const

const VERIFIED_KEY = {
  id: 'TPM-17',
  title: 'The key that is trusted made the signatures',
  code: 'tpm-signature-invalid',
  expected: 'the key that signatures were verified with',
} as const

/** Trust is in the very key that the signatures were verified with. */
const isSameKey = (ak: AkFact | undefined, { trust }: TrustJudgement): boolean =>
  trust === undefined || (ak !== undefined && trust.key.equals(ak.key.object))

/** What the quotes themselves come to; `proven` only where there is trust. */
type QuotesJudgement = { readonly checks: readonly Check[]; readonly proven?: Proven }

/** TPM-15 and 32 to 39, all of them, so that an operator sees every reason. */
function judgeQuotes({ quotes, ak }: Read, { trust }: TrustJudgement, context: Context): QuotesJudgement {
  if (ak === undefined) return { checks: [] }
  const signer = checkSigner(quotes, ak, trust?.certificate?.authority === 'google' ? 'google' : 'other')
  const pcrs = judgePcrs(quotes, context.rigour.tpm)
  const clock = checkClock(quotes, context.tpm?.previousQuote)
  const nonce = checkNonce(quotes, context.extraData)
  const checks = [signer.check, nonce, ...pcrs.checks, checkConsistency(quotes, pcrs.conflict), clock.check]
  const proven = provenOf(quotes, { ak, trust, signer, clock, quoted: pcrs.quoted })
  return proven === undefined ? { checks } : { checks, proven }
}

type Parts = Pick<Proven, 'ak' | 'signer' | 'clock'> & {
  readonly trust: TrustJudgement['trust'] | undefined
  readonly quoted: PcrJudgement['quoted'] | undefined
}

function provenOf(quotes: readonly ReadQuote[], { ak, trust, signer, clock, quoted }: Parts): Proven | undefined {
  const [quote] = quotes
  if (trust === undefined || quoted === undefined || quote === undefined) return undefined
  return typeof quote.scheme === 'string' ? undefined : { quote, quotes, ak, scheme: quote.scheme, trust, signer, clock, ...quoted }
}

const LOG = { id: 'TPM-43', title: 'The event log follows its format' } as const
const IMA = { id: 'TPM-61', title: 'The IMA list follows its format' } as const
const NONE_SENT = 'none was sent'

/** TPM-43 to 50 and 56. */
async function judgeLog({ evidence: { eventLog } }: Read, { bank, values }: Proven, context: Context): Promise<BootJudgement> {
  if (eventLog === undefined) return { checks: [skipped(LOG, NONE_SENT)], claims: null }
  return judgeBootInTurns({ eventLog, bank, pcrs: values.get(bank) ?? new Map(), rigour: context.rigour.tpm }, context.tpm?.pause)
}

/** TPM-61 to 63 and 69, where the policy says what a list is for. Banks that may not be relied on are not shown to it. */
async function judgeList({ evidence: { imaLog } }: Read, proven: Proven, context: Context): Promise<ImaJudgement> {
  const { ima: rules, banks } = context.rigour.tpm
  if (imaLog === undefined || rules === undefined) {
    return { checks: [skipped(IMA, imaLog === undefined ? NONE_SENT : 'the policy does not evaluate it')], claims: null }
  }
  return judgeIma({
    imaLog,
    rules,
    bank: proven.bank,
    pcrs: proven.values.get(proven.bank) ?? new Map(),
    quotedBanks: new Map([...proven.values].filter(([bank]) => banks.includes(bank))),
    akName: proven.ak.spkiSha256,
    clock: clockOfAll(proven),
    state: context.tpm?.imaState,
    now: context.now,
    pause: context.tpm?.pause,
  })
}

const clockOfAll = ({ quotes }: Proven): QuoteClock => clockOf(quotes).latest

/** Boot and files, once key and quotes are proven; claims exist only when nothing failed. */
async function conclude(read: Read, { before, proven }: { before: readonly Check[]; proven: Proven }, context: Context): Promise<Finding> {
  const boot = await judgeLog(read, proven, context)
  if (hasOutcome(boot.checks, 'fail')) return { checks: [...before, ...boot.checks], validUntil: context.now }
  const ima = await judgeList(read, proven, context)
  const checks = [...before, ...boot.checks, ...ima.checks]
  if (hasOutcome(checks, 'fail')) return { checks, validUntil: context.now }
  return {
    checks,
    claims: { tpm: claimsOf(proven, boot.claims, ima.claims) },
    validUntil: proven.trust.validUntil ?? FOR_EVER,
    remains: { akId: proven.ak.spkiSha256, quote: clockOfAll(proven), ...(ima.state === undefined ? {} : { imaState: ima.state }) },
  }
}

/** An enrolled key has no end; whatever relies on it sets its own. The last second that RFC 3339 can write. */
const FOR_EVER = new Date('9999-12-31T23:59:59Z')

/** Each stage is worth asking only when structure and signatures have passed; boot and files only when all before them has. */
async function verifyTpm(read: Read, grounds: Grounds): Promise<Finding> {
  const { context } = grounds
  if (hasOutcome(read.checks, 'fail')) return { checks: read.checks, validUntil: context.now }
  const judged = judgeKey(read, grounds)
  const quotes = judgeQuotes(read, judged, context)
  const before = [...read.checks, ...judged.checks, ...quotes.checks]
  if (judged.undecided !== undefined) return { checks: before, validUntil: context.now, undecided: judged.undecided }
  if (quotes.proven === undefined || hasOutcome(before, 'fail')) return { checks: before, validUntil: context.now }
  return conclude(read, { before, proven: quotes.proven }, context)
}

/**
 * TPM 2.0 quotes (specification tpm.md): reads quotes, key and signatures and proves these, tells which revocation lists it needs, and
 * verifies. Throws AttestationError (kind malformed, TPM-01 to 07, 16, 33) when the bytes make no sense; it carries the checks up to the
 * failed one.
 */
export const tpm: Verifier<TpmEvidence> = async (evidence, anchors, reading): Promise<Unverified> => {
  const read = { ...(await readEvidence(evidence, reading?.memo)), evidence }
  const isSound = !hasOutcome(read.checks, 'fail')
  return {
    // Nothing is fetched for certificates beside a quote that does not verify.
    needs: isSound ? trustNeeds(evidence.akCertificates, anchors, reading) : [],
    offers: new Map(),
    ...(read.ak === undefined ? {} : { akId: read.ak.spkiSha256 }),
    verify: async (collateral, context) => verifyTpm(read, { anchors, collateral, context }),
  }
}
