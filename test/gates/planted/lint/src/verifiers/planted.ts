import { readFileSync } from 'node:fs'

/** Reads a file and a clock where neither is allowed. */
export const planted = (): string => `${readFileSync('x', 'utf8')} ${Date.now()}`
