export function planted(): void {
  Promise.resolve(1)
}
