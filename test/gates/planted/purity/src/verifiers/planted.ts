let calls = 0

/** Reads the clock and remembers. */
export const planted = (): string => `${new Date().toISOString()} ${Date()} ${(calls += 1)}`
