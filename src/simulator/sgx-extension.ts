import { derBoolean, derEnumerated, derInteger, derOctets, derOid, derSequence } from './der.ts'

/** Intel's identifier for everything that a PCK certificate says of its platform (specification tdx.md section 3.3). */
export const SGX_OID = '1.2.840.113741.1.13.1'

/** What a PCK certificate says of its platform. */
export type PckFields = {
  readonly ppid: Uint8Array
  /** The 16 SGX component SVNs. */
  readonly components: readonly number[]
  readonly pcesvn: number
  /** Default: the components. */
  readonly cpusvn: Uint8Array
  readonly pceid: Uint8Array
  readonly fmspc: Uint8Array
  /** 0 Standard, 1 Scalable, 2 Scalable with integrity. */
  readonly sgxType: number
  /** This and the configuration stand in certificates of the Platform CA only. */
  readonly platformInstanceId: Uint8Array | undefined
  readonly configuration: SgxConfiguration | undefined
}

/** Each may be left out, as the specification allows. */
type SgxConfiguration = { readonly dynamicPlatform?: boolean; readonly cachedKeys?: boolean; readonly smtEnabled?: boolean }

/** One entry {OID, value}: `id` is the OID behind {@link SGX_OID}, `value` its DER, so that wrong ones can be minted, too. */
export type SgxEntry = { readonly id: string; readonly value: Uint8Array }

/** What may differ from the extension as Intel would have made it. */
export type SgxEntryChanges = {
  /** The top-level entries. */
  readonly entries?: (standard: readonly SgxEntry[]) => readonly SgxEntry[]
  /** The 18 entries of the TCB. */
  readonly tcb?: (standard: readonly SgxEntry[]) => readonly SgxEntry[]
  /** The entries of the configuration. */
  readonly configuration?: (standard: readonly SgxEntry[]) => readonly SgxEntry[]
}

const same = <T>(value: T): T => value

/** The content of the extension: SEQUENCE OF {OID, value}. */
export function sgxExtension(fields: PckFields, changes: SgxEntryChanges = {}): Uint8Array {
  const { entries = same, tcb = same, configuration = same } = changes
  return sequenceOf(
    entries([
      { id: '1', value: derOctets(fields.ppid) },
      { id: '2', value: sequenceOf(tcb(tcbEntries(fields))) },
      { id: '3', value: derOctets(fields.pceid) },
      { id: '4', value: derOctets(fields.fmspc) },
      { id: '5', value: derEnumerated(fields.sgxType) },
      ...(fields.platformInstanceId === undefined ? [] : [{ id: '6', value: derOctets(fields.platformInstanceId) }]),
      ...(fields.configuration === undefined ? [] : [{ id: '7', value: sequenceOf(configuration(flagEntries(fields.configuration))) }]),
    ]),
  )
}

const tcbEntries = ({ components, pcesvn, cpusvn }: PckFields): readonly SgxEntry[] => [
  ...components.map((svn, index) => ({ id: `2.${index + 1}`, value: derInteger(svn) })),
  { id: '2.17', value: derInteger(pcesvn) },
  { id: '2.18', value: derOctets(cpusvn) },
]

const flagEntries = (flags: SgxConfiguration): readonly SgxEntry[] =>
  (['dynamicPlatform', 'cachedKeys', 'smtEnabled'] as const).flatMap((name, index) => {
    const flag = flags[name]
    return flag === undefined ? [] : [{ id: `7.${index + 1}`, value: derBoolean(flag) }]
  })

const sequenceOf = (entries: readonly SgxEntry[]): Uint8Array =>
  derSequence(entries.map(({ id, value }) => derSequence([derOid(`${SGX_OID}.${id}`), value])))
