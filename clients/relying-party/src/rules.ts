import { filled, listOf, mapOf, object, oneOf, optional, count, type Guard } from './shape.ts'
import { tcbParts } from './claims.ts'
import { isObject, type JsonObject } from './json.ts'

/** Whether a claim is as wanted; `all` are the claims of the same technology. */
export type Test = (claim: unknown, all: JsonObject) => boolean

/** What may be wanted of a claim. `compile` answers undefined for what cannot be wanted. */
export type Rule<W> = { readonly wants: Guard<W>; readonly compile: (wanted: unknown) => Test | undefined }

function rule<W>(wants: Guard<W>, holds: (wanted: W, ...args: Parameters<Test>) => boolean): Rule<W> {
  return { wants, compile: (wanted) => (wants(wanted) ? (claim, all) => holds(wanted, claim, all) : undefined) }
}

const texts = listOf(filled)

/** The claim is one of the texts. */
const among = rule(texts, (wanted, claim) => typeof claim === 'string' && wanted.includes(claim))

/** The claim is one of these words. */
const word = <const T extends string>(words: readonly T[]): Rule<readonly T[]> =>
  rule(listOf(oneOf(words)), (wanted, claim) => wanted.some((one) => one === claim))

/** The claim is one of the numbers. */
const amongNumbers = rule(listOf(count), (wanted, claim) => typeof claim === 'number' && wanted.includes(claim))

/** The claim is a number, and not less. */
const atLeast = rule(count, (wanted, claim) => typeof claim === 'number' && claim >= wanted)

/** Every text of the claim, a list, is one of these. */
const within = rule(texts, (wanted, claim) => Array.isArray(claim) && claim.every((one) => wanted.includes(one)))

/** The claim is this. */
const exactly = rule(oneOf(['true', 'false']), (wanted, claim) => typeof claim === 'boolean' && String(claim) === wanted)

const isDate = (value: unknown): value is string => typeof value === 'string' && !Number.isNaN(Date.parse(value))

/** The claim is a date, and not earlier. */
const since = rule(isDate, (wanted, claim) => isDate(claim) && Date.parse(claim) >= Date.parse(wanted))

const isListOrAbsent = (value: unknown): value is 'absent' | readonly string[] => value === 'absent' || texts(value)

/** The claim, which is never left out where it is something, is absent, or one of the texts. */
const absentOr = rule(isListOrAbsent, (wanted, claim) =>
  wanted === 'absent' ? claim === undefined : typeof claim === 'string' && wanted.includes(claim),
)

/** The claim is `true` only if that was asked for; never left out where it is. */
const unlessTrue = rule(
  oneOf(['refuse', 'DANGEROUSLY_ACCEPT']),
  (wanted, claim) => claim === undefined || claim === false || wanted !== 'refuse',
)

const maybeParts = optional(tcbParts)
const minimaOfProducts = object({ Milan: maybeParts, Genoa: maybeParts, Turin: maybeParts })

/** The numbers of one product say nothing of another's, so each has its own minima; a product without any is not accepted. */
const leastTcb = rule(minimaOfProducts, (wanted, claim, { product }) => {
  const least: unknown = Object.entries(wanted).find(([name]) => name === product)?.[1]
  if (!isObject(least) || !isObject(claim)) return false
  const parts = Object.entries(least)
  return parts.length > 0 && parts.every(([part, number]) => atLeast.compile(number)?.(claim[part], claim) === true)
})

/** Every register named is one of its values. */
const registers = rule(
  mapOf(texts),
  (wanted, claim) =>
    isObject(claim) && Object.entries(wanted).every(([index, values]) => among.compile(values)?.(claim[index], claim) === true),
)

const intel = {
  'tcb.status': among,
  'tcb.early_status': among,
  'tcb.tcb_date': since,
  'tcb.tcb_evaluation_data_number': atLeast,
  'tcb.advisory_ids': within,
  'platform.fmspc': among,
  'platform.sgx_type': among,
  'platform.smt_enabled': exactly,
  collateral_expired: unlessTrue,
} as const

/** What may be wanted of the claims of each technology, by the path of the claim: lists are one of, numbers and dates are at least. */
export const RULES = {
  snp: {
    product: word(['Milan', 'Genoa', 'Turin']),
    version: atLeast,
    guest_svn: atLeast,
    vmpl: amongNumbers,
    measurement: among,
    host_data: among,
    family_id: among,
    image_id: among,
    id_key_digest: among,
    author_key_digest: among,
    reported_tcb: leastTcb,
    signing_key: word(['vcek', 'vlek']),
    csp_id: among,
    revocation: word(['checked', 'not-checked']),
    advisories: within,
  },
  tdx: {
    mr_td: among,
    mr_seam: among,
    mr_service_td: absentOr,
    mr_config_id: among,
    mr_owner: among,
    mr_owner_config: among,
    rtmr0: among,
    rtmr1: among,
    rtmr2: among,
    rtmr3: among,
    ...intel,
  },
  sgx: {
    mr_enclave: among,
    mr_signer: among,
    isv_prod_id: amongNumbers,
    isv_svn: atLeast,
    config_id: among,
    ...intel,
  },
  tpm: {
    ak_trust: word(['ak-cert', 'ek-activation', 'enrolled-ak']),
    enrolment_basis: among,
    bank: among,
    pcrs: registers,
    'boot.secure_boot': exactly,
    'boot.kernel_cmdline': among,
  },
} as const

type Wanted<R> = R extends Rule<infer W> ? W : never

/** What may be wanted of one technology. */
export type Conditions<T extends keyof typeof RULES> = { readonly [K in keyof (typeof RULES)[T]]?: Wanted<(typeof RULES)[T][K]> }

/** What is refused unless the relying party says otherwise. */
export const DEFAULTS = {
  snp: { revocation: ['checked'] },
  tdx: { 'tcb.status': ['UpToDate'], collateral_expired: 'refuse' },
  sgx: { 'tcb.status': ['UpToDate'], collateral_expired: 'refuse' },
  tpm: {},
} as const satisfies { readonly [T in keyof typeof RULES]: Conditions<T> }
