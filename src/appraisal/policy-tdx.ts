import { z } from 'zod'
import { intelPlatform, TCB_STATUSES, tcbMembers } from './policy-intel.ts'
import { bits64, digest, hasMembers, hex, list, noPlaceholder, references, referencesOrAny, whole, words } from './policy-values.ts'

const dangerous = () => words(['deny', 'DANGEROUSLY_ALLOW']).default('deny')
const denied = () => words(['deny', 'allow']).default('deny')
const allowed = () => words(['allow', 'deny']).default('allow')

/** TDATTRIBUTES (specification tdx.md section 6.1), in the order of its bits. */
const tdAttributes = z.strictObject({
  values: list(bits64()).optional(),
  debug: dangerous(),
  other_tud_bits: dangerous(),
  icssd: denied(),
  servtd_ext: denied(),
  lass: allowed(),
  /** `azure-paravisor`: clear is accepted of a TD whose RTMRs are all zero, which is how Azure’s paravisor leaves them (sections 0.7 and 8.4). */
  sept_ve_disable: words(['require', 'azure-paravisor', 'any']).default('require'),
  migratable: denied(),
  pks: allowed(),
  kl: allowed(),
  tpa: allowed(),
  perfmon: denied(),
  reserved_bits: dangerous(),
})

/** XFAM (section 6.2). Bits that do not go together are refused whatever is written here. */
const xfam = z
  .strictObject({
    values: list(bits64()).optional(),
    /** Bits that are not compared with `values`: hosts of one fleet may differ in them. */
    ignored: bits64().optional(),
    allowed: bits64().prefault('0x6dbe7'),
    required: bits64().optional(),
  })
  .refine(({ values, ignored }) => ignored === undefined || values !== undefined, {
    path: ['ignored'],
    error: 'needs values: only these are compared as a whole',
    when: ({ value }) => hasMembers(value),
  })

const needed = () => words(['any', 'require']).default('any')

/** Logs that travel beside a quote (section 8). */
const eventLog = z.strictObject({
  ccel: needed(),
  dstack: needed(),
  /** Registers that a log must replay to; events of the others stay untrusted. */
  replayed_rtmrs: list(z.union([z.literal(0), z.literal(1), z.literal(2), z.literal(3)], { error: 'expected 0, 1, 2 or 3' })).default([
    0, 1, 2, 3,
  ]),
  secure_boot: needed(),
})

type ServiceTds = { readonly td_attributes: z.output<typeof tdAttributes>; readonly mr_service_td?: readonly string[] | undefined }

/** A service TD can move a TD or change what it is bound to: which one may must be listed (section 6.1). */
const listsServiceTds = (option: 'migratable' | 'servtd_ext') => (document: ServiceTds) =>
  document.td_attributes[option] === 'deny' || document.mr_service_td !== undefined

const needsList = (option: 'migratable' | 'servtd_ext') => ({
  path: ['td_attributes', option],
  error: '`allow` needs mr_service_td: which service TDs may do it',
  when: ({ value }: { readonly value: unknown }) => hasMembers(value) && 'td_attributes' in value && hasMembers(value.td_attributes),
})

/** Section 7. What is left out has its strict value; a list that is left out asks nothing, except `mr_td` and `mr_service_td`. */
export const tdx = z
  .strictObject({
    /** Absent: everything is refused (`tdx-mrtd-policy-missing`). */
    mr_td: referencesOrAny(48).optional(),
    rtmr0: references(digest(48)).optional(),
    rtmr1: references(digest(48)).optional(),
    /** Zero on purpose: nothing was extended. */
    rtmr2: references(hex(48)).optional(),
    rtmr3: references(hex(48)).optional(),
    mr_seam: references(digest(48)).optional(),
    module_majors: list(whole(0, 255)).optional(),
    mr_config_id: list(noPlaceholder(hex(48))).optional(),
    initdata: words(['bound-if-sent', 'require', 'any']).default('bound-if-sent'),
    mr_owner: list(noPlaceholder(hex(48))).optional(),
    mr_owner_config: list(noPlaceholder(hex(48))).optional(),
    /** Absent: no service TD may be bound. */
    mr_service_td: list(digest(48)).optional(),
    td_attributes: tdAttributes.prefault({}),
    xfam: xfam.prefault({}),
    accepted_tcb_statuses: list(words([...TCB_STATUSES, 'TDRelaunchAdvised', 'TDRelaunchAdvisedConfigurationNeeded'])).default([
      'UpToDate',
    ]),
    ...tcbMembers,
    min_tee_tcb_svn: hex(16).optional(),
    tee_tcb_svn2_regression: words(['refuse', 'warn']).default('refuse'),
    platform: intelPlatform.prefault({}),
    event_log: eventLog.prefault({}),
  })
  .refine(listsServiceTds('migratable'), needsList('migratable'))
  .refine(listsServiceTds('servtd_ext'), needsList('servtd_ext'))
