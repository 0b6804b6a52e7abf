import type { EventLogClaims } from '../verifiers/event-log/claims.ts'
import type { TdAttributes, TdxClaims } from '../verifiers/tdx/claims.ts'
import { unlessZero, type Detail } from './detail.ts'
import { leanPlatform } from './lean-platform.ts'

/**
 * What relying parties match, by the names of the appraisal. Left to the appraisal: what names the guest (TD_ID, the instance of a runtime log),
 * which `sub` replaces, REPORTDATA, which says no more than the nonce and `cnf`, and where the guest came from, if it was migrated.
 */
export function leanTdx(tdx: TdxClaims, detail: Detail): object {
  return {
    mr_td: tdx.mr_td,
    // Who wants none looks for its absence, so it is told however little else is.
    mr_service_td: tdx.mr_service_td === null ? undefined : unlessZero(tdx.mr_service_td),
    ...(detail === 'bare' ? {} : software(tdx)),
    ...(detail === 'all' || detail === 'most' ? origin(tdx) : {}),
    td_attributes: ATTRIBUTES[detail](tdx.td_attributes),
    xfam: { value: tdx.xfam.value },
    ...leanPlatform(tdx, detail),
    event_log: tdx.event_log === null ? undefined : LOGS[detail](tdx.event_log),
  }
}

/** What the guest has measured of itself, and what its owner bound to it. */
const software = (tdx: TdxClaims): object => ({
  rtmr0: tdx.rtmr0,
  rtmr1: tdx.rtmr1,
  rtmr2: tdx.rtmr2,
  rtmr3: tdx.rtmr3,
  mr_config_id: unlessZero(tdx.mr_config_id),
  initdata: tdx.initdata === null ? undefined : { binding: tdx.initdata.binding },
})

/** The module and its version, and what owner and host have set, absent where they have not. */
const origin = (tdx: TdxClaims): object => ({
  quote_version: tdx.quote_version,
  body_type: tdx.body_type,
  tee_tcb_svn: tdx.tee_tcb_svn,
  tee_tcb_svn2: tdx.tee_tcb_svn2 ?? undefined,
  mr_seam: tdx.mr_seam,
  mr_owner: unlessZero(tdx.mr_owner),
  mr_owner_config: unlessZero(tdx.mr_owner_config),
})

/** The bits that relying parties ask for most; `value` holds them all, and what the log says is worth more than the names of the others. */
const briefAttributes = ({ value, debug, sept_ve_disable, migratable, perfmon }: TdAttributes): object => ({
  value,
  debug,
  sept_ve_disable,
  migratable,
  perfmon,
})

const bareAttributes = ({ value }: TdAttributes): object => ({ value })

const ATTRIBUTES = {
  all: briefAttributes,
  most: briefAttributes,
  least: bareAttributes,
  bare: bareAttributes,
} as const satisfies Record<Detail, (attributes: TdAttributes) => object>

const replay = ({ source, replayed }: EventLogClaims): object => ({ source, replayed })

const briefLog = (log: EventLogClaims): object => ({ ...replay(log), facts: { secure_boot: log.facts.secure_boot ?? undefined } })

/** Facts that are not known are absent. Events of the application are as many and as long as it likes, so they are left to the appraisal. */
const wholeLog = (log: EventLogClaims): object => ({
  ...replay(log),
  facts: {
    secure_boot: log.facts.secure_boot ?? undefined,
    kernel_cmdline: log.facts.kernel_cmdline ?? undefined,
    boot_applications: log.facts.boot_applications ?? undefined,
    container_images: log.facts.container_images ?? undefined,
  },
  dstack: log.dstack === null ? undefined : application(log.dstack),
})

const application = ({ app_id, compose_hash, key_provider, os_image_hash }: NonNullable<EventLogClaims['dstack']>): object => ({
  app_id: app_id ?? undefined,
  compose_hash: compose_hash ?? undefined,
  key_provider: key_provider ?? undefined,
  os_image_hash: os_image_hash ?? undefined,
})

const LOGS = { all: wholeLog, most: briefLog, least: replay, bare: replay } as const satisfies Record<
  Detail,
  (log: EventLogClaims) => object
>
