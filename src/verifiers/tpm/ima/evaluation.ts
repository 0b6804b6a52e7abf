import { BOOT_AGGREGATE, bootAggregateOf, type QuotedBanks } from './boot-aggregate.ts'
import type { BootAggregate, ImaFaultKind } from './claims.ts'
import { isViolation, type ImaEntry } from './entry.ts'
import { hasItsDigest, SignerKeys } from './keys.ts'
import { malformedList } from './malformed.ts'
import type { ImaOutcomes } from './outcomes.ts'
import { pathText, type PathText } from './path.ts'
import type { ImaRules } from './rules.ts'
import { mayHoldSignature, readSignature } from './signature.ts'
import { readSigner } from './signer.ts'
import { digestText, Tally } from './tally.ts'

/** Digest lengths of the kernel's hashes (include/crypto/hash_info.h names them): an entry by another name cannot be evaluated. */
const DIGEST_BYTES: ReadonlyMap<string, number> = new Map(
  Object.entries({
    md4: 16,
    md5: 16,
    sha1: 20,
    rmd160: 20,
    rmd128: 16,
    rmd256: 32,
    rmd320: 40,
    wp256: 32,
    wp384: 48,
    wp512: 64,
    tgr128: 16,
    tgr160: 20,
    tgr192: 24,
    sha224: 28,
    sha256: 32,
    sha384: 48,
    sha512: 64,
    sm3_256: 32,
    'sm3-256': 32,
    sm3: 32,
    streebog256: 32,
    streebog512: 64,
    'sha3-256': 32,
    'sha3-384': 48,
    'sha3-512': 64,
  }),
)

/** What a signature did for a file. */
type SignatureOutcome = 'accepts' | 'malformed' | 'invalid' | 'says-nothing'

/** Faults of files that no rule lists: the signature that should have helped is named before the lack of a digest. */
const UNLISTED: Readonly<Record<Exclude<SignatureOutcome, 'accepts'>, ImaFaultKind>> = {
  malformed: 'signature-malformed',
  invalid: 'signature-invalid',
  'says-nothing': 'not-allowed',
}

/** What is evaluated, and by which rules. */
type EvaluationInput = { readonly rules: ImaRules; readonly banks: QuotedBanks; readonly before: ImaOutcomes | undefined }

/** Puts the entries of a list to the rules of a policy one after the other (specification tpm.md section 12.5). */
export class Evaluation {
  readonly #rules: ImaRules
  readonly #banks: QuotedBanks
  readonly #keys: SignerKeys
  readonly #tally: Tally
  #bootAggregate: BootAggregate

  constructor({ rules, banks, before }: EvaluationInput) {
    this.#rules = rules
    this.#banks = banks
    this.#keys = new SignerKeys(rules.signers, before?.keys ?? [])
    this.#tally = new Tally(before)
    this.#bootAggregate = before?.bootAggregate ?? null
  }

  /** What was found so far. */
  outcomes(legacyPadding: boolean): ImaOutcomes {
    const { accepted, faults } = this.#tally
    return { bootAggregate: this.#bootAggregate, accepted, faults, legacyPadding, keys: this.#keys.measured }
  }

  /** Evaluates one entry. Throws `tpm-ima-malformed` for a digest of no known hash. */
  take(entry: ImaEntry): void {
    const path = pathText(entry.path)
    if (isViolation(entry)) this.#fault('violation', entry, path)
    else if (entry.buffer !== undefined) this.#takeBuffer(entry, entry.buffer, path)
    else this.#takeFile(entry, path)
  }

  #takeFile(entry: ImaEntry, path: PathText): void {
    const { algorithm, bytes } = entry.digest
    if (DIGEST_BYTES.get(algorithm) !== bytes.byteLength) throw malformedList(entry.number, 'its digest is of no known hash')
    const verdict = this.#bootVerdict(entry, path)
    if (verdict === 'refused') this.#fault('boot-aggregate', entry, path)
    if (verdict === 'a-file') this.#judgeFile(entry, path)
  }

  /**
   * What the name boot_aggregate does for an entry (section 12.4): the first must have it, and the name alone exempts none from the rules
   * for files, except the first where the policy asks for nothing.
   */
  #bootVerdict(entry: ImaEntry, { text }: PathText): 'exempt' | 'refused' | 'a-file' {
    const { bootAggregate: mode } = this.#rules
    const isFirst = entry.number === 1
    if (text !== BOOT_AGGREGATE) return isFirst && mode !== 'off' ? 'refused' : 'a-file'
    const found = bootAggregateOf(entry, this.#banks)
    if (found === 'not-quoted' || found === 'different') return verdictOfUnverified(found, mode, isFirst)
    if (isFirst) this.#bootAggregate = found
    return 'exempt'
  }

  #judgeFile(entry: ImaEntry, path: PathText): void {
    if (this.#isExcluded(entry, path)) return this.#tally.accept('excluded')
    const signature = this.#signatureOf(entry)
    if (signature === 'accepts') return this.#tally.accept('signature')
    const digests = path.exactly ? this.#rules.digests.get(path.text) : undefined
    if (digests?.has(digestText(entry.digest)) === true) return this.#tally.accept('digest')
    return this.#fault(digests === undefined ? UNLISTED[signature] : 'hash-mismatch', entry, path)
  }

  #isExcluded(entry: ImaEntry, { text, exactly }: PathText): boolean {
    return exactly && mayHoldSignature(entry) && this.#rules.isExcluded(text)
  }

  #signatureOf(entry: ImaEntry): SignatureOutcome {
    const signature = readSignature(entry)
    if (signature === 'malformed') return 'malformed'
    if (signature === 'absent' || signature === 'other') return 'says-nothing'
    const verdict = this.#keys.judge(signature, entry.digest)
    if (verdict === 'valid') return 'accepts'
    return verdict === 'invalid' ? 'invalid' : 'says-nothing'
  }

  /**
   * Keys are for keyrings, other buffers for their list; neither is excluded by a pattern for paths. The name of a template is not hashed, so a
   * file with a signature may be called a buffer: only what has the digest that stands before it is one.
   */
  #takeBuffer(entry: ImaEntry, buffer: Buffer, path: PathText): void {
    const listed = this.#listing(entry, buffer, path)
    if (listed === 'keyring') this.#keys.measure(path.text, buffer)
    if (listed !== undefined) return this.#tally.accept(listed)
    const isKey = this.#isKeyring(path.text) || readSigner(buffer) !== undefined
    if (isKey && this.#isIgnored(entry, buffer, path)) return this.#tally.accept('keyring')
    if (isKey) return this.#fault('keyring', entry, path)
    return this.#fault(this.#rules.buffers.has(path.text) ? 'hash-mismatch' : 'not-allowed', entry, path)
  }

  /** The list that holds the buffer; its digest must be that of the buffer. */
  #listing({ digest }: ImaEntry, buffer: Buffer, { text, exactly }: PathText): 'keyring' | 'buffer' | undefined {
    if (!exactly || !hasItsDigest(buffer, digest)) return undefined
    const told = digestText(digest)
    if (this.#rules.keyrings.get(text)?.has(told) === true) return 'keyring'
    return this.#rules.buffers.get(text)?.has(told) === true ? 'buffer' : undefined
  }

  #isKeyring(name: string): boolean {
    return this.#rules.keyrings.has(name) || this.#rules.ignoredKeyrings.has(name)
  }

  #isIgnored({ digest }: ImaEntry, buffer: Buffer, { text, exactly }: PathText): boolean {
    if (!exactly || !hasItsDigest(buffer, digest)) return false
    return this.#rules.ignoredKeyrings.has(text) || this.#rules.ignoredKeyrings.has('*')
  }

  #fault(kind: ImaFaultKind, { number, digest }: ImaEntry, { text }: PathText): void {
    this.#tally.fault(kind, { number, path: text, digest })
  }
}

function verdictOfUnverified(
  found: 'not-quoted' | 'different',
  mode: ImaRules['bootAggregate'],
  isFirst: boolean,
): 'exempt' | 'refused' | 'a-file' {
  if (mode === 'off') return isFirst ? 'exempt' : 'a-file'
  return mode === 'verify' || found === 'different' ? 'refused' : 'a-file'
}
