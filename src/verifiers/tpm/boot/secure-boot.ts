import type { Judged } from '../../event-log/digests.ts'
import { EVENT } from '../../event-log/event-types.ts'
import { readUefiVariable, type UefiVariable } from '../../event-log/uefi-variable.ts'
import type { TpmRigour } from '../context.ts'
import { readAuthority, type Authority } from './authorities.ts'
import type { SecureBootClaims, SignatureDatabase } from './claims.ts'
import { readSignatureLists } from './signature-lists.ts'

/** EFI_GLOBAL_VARIABLE and EFI_IMAGE_SECURITY_DATABASE, as they lie in memory. */
const GLOBAL = '61dfe48bca93d211aa0d00e098032b8c'
const IMAGE_SECURITY = 'cbb219d73a3d9645a3bcdad00e67656f'

/** GUID and name: one without the other means nothing (specification tpm.md section 10.1). */
const keyOf = ({ guid, name }: UefiVariable): string => `${guid} ${name}`
const LISTS = { pk: `${GLOBAL} PK`, kek: `${GLOBAL} KEK`, db: `${IMAGE_SECURITY} db`, dbx: `${IMAGE_SECURITY} dbx` } as const
const STATES = {
  secureBoot: `${GLOBAL} SecureBoot`,
  setupMode: `${GLOBAL} SetupMode`,
  auditMode: `${GLOBAL} AuditMode`,
} as const

const DEBUG_MODE = 'UEFI Debug Mode'
const NO_DMA_PROTECTION = 'DMA Protection Disabled'

/** All that PCR 7 was extended by, by kind; `broken`: why it is not what firmware measures. */
type Walk = {
  readonly variables: Map<string, Uint8Array>
  readonly authorities: Authority[]
  readonly actions: Set<string>
  separated: boolean
  readonly rigour: TpmRigour
}

/**
 * Reads PCR 7 event by event (specification tpm.md sections 9.5 and 10.2); the answer is why it cannot be believed, where it cannot. Every type
 * that may be there is proven by its data, and the two kinds of variables differ in their content, so no label can change what an event means.
 */
export function readSecureBoot(events: readonly Judged[], rigour: TpmRigour): SecureBootClaims | string {
  const walk: Walk = { variables: new Map(), authorities: [], actions: new Set(), separated: false, rigour }
  for (const event of events) {
    const broken = step(walk, event)
    if (broken !== undefined) return `event ${event.number} of PCR 7 ${broken}`
  }
  return claimsOf(walk)
}

type Step = (walk: Walk, measured: Uint8Array, event: Judged) => string | undefined

const STEPS: ReadonlyMap<number, Step> = new Map<number, Step>([
  [
    EVENT.separator,
    (walk) => {
      walk.separated = true
      return undefined
    },
  ],
  [EVENT.action, action],
  [EVENT.variableDriverConfig, config],
  [EVENT.variableAuthority, authority],
])

function step(walk: Walk, event: Judged): string | undefined {
  const read = STEPS.get(event.type)
  if (read === undefined) return `is of type 0x${event.type.toString(16)}, which has no place there`
  return event.measured === undefined ? 'has another digest than its data' : read(walk, event.measured, event)
}

function action(walk: Walk, measured: Uint8Array): string | undefined {
  const text = Buffer.from(measured).toString('latin1').replace(/\0$/, '')
  if (text !== DEBUG_MODE && text !== NO_DMA_PROTECTION) return 'is an action that nobody knows'
  walk.actions.add(text)
  return undefined
}

function config(walk: Walk, measured: Uint8Array): string | undefined {
  if (walk.separated) return 'is a variable behind the separator'
  const variable = readUefiVariable(measured)
  if (variable === undefined) return 'is no variable'
  const key = keyOf(variable)
  if (walk.variables.has(key)) return `is ${variable.name}, for the second time`
  walk.variables.set(key, variable.data)
  return contentFault(key, variable, walk.rigour)
}

/** Every variable that is relied on has the form that it must have. */
function contentFault(key: string, { name, data }: UefiVariable, rigour: TpmRigour): string | undefined {
  const isList = Object.values<string>(LISTS).includes(key)
  if (isList) return readSignatureLists(data) === undefined ? `is ${name}, which is no list` : undefined
  const isState = Object.values<string>(STATES).includes(key)
  const empty = key === STATES.secureBoot && rigour.emptySecureBootVariable === 'allow' ? [''] : []
  return !isState || [...empty, '00', '01'].includes(hex(data)) ? undefined : `is ${name}, which is neither 0 nor 1`
}

function authority(walk: Walk, measured: Uint8Array, { data }: Judged): string | undefined {
  const place = walk.separated ? 'behind' : 'before'
  if (place === 'before' && walk.rigour.preSeparatorAuthority === 'refuse') return 'is an authority before the separator'
  const read = readAuthority(measured, { place, padded: data !== undefined && data.length > measured.length ? 'by-shim' : 'no' })
  if (typeof read === 'string') return read
  walk.authorities.push(read)
  return undefined
}

const EMPTY: SignatureDatabase = { certificates: [], sha256: [], unhandled: 0 }

function claimsOf({ variables, authorities, actions }: Walk): SecureBootClaims {
  const state = (key: string): boolean | null => ({ 0: false, 1: true })[variables.get(key)?.[0] ?? -1] ?? null
  const lists = (key: string): SignatureDatabase => readSignatureLists(variables.get(key) ?? new Uint8Array()) ?? EMPTY
  const [variable, setupMode] = [state(STATES.secureBoot), state(STATES.setupMode)]
  const [pk, kek, db, dbx] = [lists(LISTS.pk), lists(LISTS.kek), lists(LISTS.db), lists(LISTS.dbx)]
  const levels = authorities.filter(({ kind }) => kind === 'sbat')
  const insecure = authorities.some(({ kind }) => kind === 'insecure')
  const inEffect = [
    variable === true,
    setupMode !== true,
    state(STATES.auditMode) !== true,
    [pk, kek, db].every(isFilled),
    authorities.some(({ kind, told }) => kind === 'firmware' && !told.pre_separator),
    !insecure,
  ]
  return {
    enabled: inEffect.every(Boolean),
    variable,
    setup_mode: setupMode,
    pk,
    kek,
    db,
    dbx,
    authorities: authorities.flatMap(({ kind, told }) => (kind === 'firmware' || kind === 'shim' ? [told] : [])),
    sbat_level: levels.length === 1 ? (levels[0]?.text ?? null) : null,
    shim_validation_disabled: insecure,
    debug_mode: actions.has(DEBUG_MODE),
    dma_protection_disabled: actions.has(NO_DMA_PROTECTION),
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const isFilled = ({ certificates, sha256, unhandled }: SignatureDatabase): boolean => certificates.length + sha256.length + unhandled > 0
