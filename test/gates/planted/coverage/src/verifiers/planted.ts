/** Has a branch that no test takes. */
export function planted(value: number): string {
  if (value > 1) {
    return 'never tried'
  }
  return 'tried'
}
