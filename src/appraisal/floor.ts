import type { AppraisalPolicy } from './policy.ts'

/**
 * What no document may weaken unless the configuration of the service lifts it by name. Below these there is nothing to lift: no policy has a
 * word against signatures, pinned roots, binding and challenge, revocations that were found, or a revoked TCB.
 */
export const LIFTS = ['debug-guests', 'collateral-grace', 'unchecked-revocation'] as const

/** One of them. */
export type Lift = (typeof LIFTS)[number]

/** Where a document goes below the floor. */
export type FloorViolation = { readonly path: string; readonly lift: Lift; readonly message: string; readonly remedy: string }

type Row = {
  readonly path: string
  readonly lift: Lift
  readonly strict: string
  readonly value: (document: AppraisalPolicy) => string | number
}

const allows = (path: string, value: Row['value']): Row => ({ path, lift: 'debug-guests', strict: 'deny', value })
const grants = (path: string, value: Row['value']): Row => ({ path, lift: 'collateral-grace', strict: '0', value })

const FLOOR: readonly Row[] = [
  allows('snp.guest_policy.debug', ({ snp }) => snp.guest_policy.debug),
  allows('tdx.td_attributes.debug', ({ tdx }) => tdx.td_attributes.debug),
  allows('tdx.td_attributes.other_tud_bits', ({ tdx }) => tdx.td_attributes.other_tud_bits),
  allows('sgx.debug', ({ sgx }) => sgx.debug),
  allows('tpm.secure_boot.debug_mode', ({ tpm }) => tpm.secure_boot.debug_mode),
  grants('snp.crl.grace_seconds', ({ snp }) => snp.crl.grace_seconds),
  grants('tdx.collateral_grace_seconds', ({ tdx }) => tdx.collateral_grace_seconds),
  grants('sgx.collateral_grace_seconds', ({ sgx }) => sgx.collateral_grace_seconds),
  grants('tpm.crl.grace_seconds', ({ tpm }) => tpm.crl.grace_seconds),
  {
    path: 'snp.crl.mode',
    lift: 'unchecked-revocation',
    strict: 'require',
    value: ({ snp }) => (snp.crl.mode === 'DANGEROUSLY_OFF' ? snp.crl.mode : 'require'),
  },
  {
    path: 'tpm.crl.mode',
    lift: 'unchecked-revocation',
    strict: 'require',
    value: ({ tpm }) => (tpm.crl.mode === 'DANGEROUSLY_OFF' ? tpm.crl.mode : 'require'),
  },
]

/** Every member by which a document goes below the floor of a service with these lifts; empty: it may be loaded. */
export const floorViolations = (document: AppraisalPolicy, lifts: readonly Lift[]): readonly FloorViolation[] =>
  FLOOR.filter(({ lift }) => !lifts.includes(lift)).flatMap(({ path, lift, strict, value }) => {
    const written = `${value(document)}`
    if (written === strict) return []
    return [
      {
        path,
        lift,
        message: `\`${written}\` is below the floor of this service`,
        remedy: `write \`${strict}\`, or let the operator list \`${lift}\` under \`lift\` in the configuration`,
      },
    ]
  })
