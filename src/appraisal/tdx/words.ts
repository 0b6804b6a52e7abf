/** Long lists are told by their beginning: what the collateral says could fill pages. */
const TOLD = 8

/** A list for `actual`; `none` where it is empty. */
export function told(values: readonly string[]): string {
  if (values.length === 0) return 'none'
  const rest = values.length > TOLD ? [`… (${values.length} in all)`] : []
  return [...values.slice(0, TOLD), ...rest].join(', ')
}
