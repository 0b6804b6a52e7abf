/** Counts requests per address prefix (/24 for IPv4, /56 for IPv6). */
export type RateLimits = {
  /** Takes one request from the prefix's allowance. Throws `rate-limited` with the seconds to wait. */
  readonly take: (prefix: string) => Promise<void>
}
