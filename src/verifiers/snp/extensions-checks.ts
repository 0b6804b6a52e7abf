import { attempt } from '../der-attempt.ts'
import { hexOf } from '../der-values.ts'
import { AttestationError } from '../problems.ts'
import type { Check } from '../verifier.ts'
import type { Extension } from '../x509.ts'
import { CHAIN_RULES, judgeIf } from './chain-rules.ts'
import type { SnpProduct } from './claims.ts'
import { readVekExtensions, type VekExtensions } from './extensions.ts'
import { failed, passed } from '../checks.ts'

/** SPLs that a VEK of each product must have, and may have (specification snp.md section 6.2). */
const SPLS = {
  Milan: { required: [1, 2, 3, 4, 5, 6, 7, 8], allowed: [1, 2, 3, 4, 5, 6, 7, 8] },
  Genoa: { required: [1, 2, 3, 4, 5, 6, 7, 8], allowed: [1, 2, 3, 4, 5, 6, 7, 8] },
  Turin: { required: [1, 2, 3, 5, 6, 7, 8, 9], allowed: [1, 2, 3, 4, 5, 6, 7, 8, 9] },
} as const satisfies Record<SnpProduct, { readonly required: readonly number[]; readonly allowed: readonly number[] }>

/** SPLs without a meaning yet (SNP-42). */
const RESERVED = [4, 5, 6, 7]

/** structVersion of family 1Ah and of family 19h (SNP-35). */
const STRUCT_VERSION = { Milan: 0, Genoa: 0, Turin: 1 } as const satisfies Record<SnpProduct, number>

const { extensions: complete, product: oneProduct, structVersion, reservedSpl, vcekHolder, vlekHolder } = CHAIN_RULES

/**
 * SNP-34 (productName only), 35, 40 and 42 to 44: what the extensions of a VEK must say under an authority of this product.
 * `read` is there when they could be read at all.
 */
export function checkExtensions(
  extensions: readonly Extension[],
  kind: 'vcek' | 'vlek',
  product: SnpProduct,
): { readonly checks: readonly Check[]; readonly read?: VekExtensions } {
  const read = attempt(() => readVekExtensions(extensions))
  if (read instanceof AttestationError) return { checks: [failed(complete, read.message)] }
  return { checks: [checkComplete(read, product), ...checkValues(read, product), checkHolder(read, kind)], read }
}

function checkComplete({ spl }: VekExtensions, product: SnpProduct): Check {
  const { required, allowed } = SPLS[product]
  const missing = required.filter((number) => !spl.has(number))
  const extra = [...spl.keys()].filter((number) => !allowed.some((other) => other === number))
  const actual = [...missing.map((number) => `SPL ${number} is missing`), ...extra.map((number) => `SPL ${number} does not belong`)]
  return actual.length === 0 ? passed(complete, `complete for ${product}`) : failed(complete, actual.join(', '))
}

function checkValues(read: VekExtensions, product: SnpProduct): readonly Check[] {
  // Only the text before the hyphen counts: every Milan VCEK says B0, whatever its stepping (section 3).
  const [line] = read.productName.split('-')
  const set = RESERVED.filter((number) => (read.spl.get(number) ?? 0) !== 0)
  return [
    judgeIf(line === product)(oneProduct, `chain ${product}, productName ${read.productName}`),
    judgeIf(read.structVersion === STRUCT_VERSION[product])(structVersion, `${read.structVersion} on ${product}`),
    judgeIf(set.length === 0)(reservedSpl, set.length === 0 ? 'zero' : `SPL ${set.join(', ')} set`),
  ]
}

/** SNP-43 and SNP-44, of which one applies. */
function checkHolder(read: VekExtensions, kind: 'vcek' | 'vlek'): Check {
  const { hwid, cspId } = read
  const actual = `hwID ${hwid === undefined ? 'absent' : hexOf(hwid)}, cspID ${cspId ?? 'absent'}`
  if (kind === 'vlek') return judgeIf(namesProviderOnly(read))(vlekHolder, actual)
  if (hwid === undefined) return failed(vcekHolder, actual)
  return judgeIf(cspId === undefined)({ ...vcekHolder, code: 'snp-vek-extension-invalid' }, actual)
}

const namesProviderOnly = ({ hwid, cspId }: VekExtensions): boolean => cspId !== undefined && cspId !== '' && hwid === undefined
