import { BlockList, isIP } from 'node:net'
import { plainAddress } from './address-prefix.ts'

/** Who called, as far as can be believed. */
export type ClientAddress = (remote: string | undefined, forwardedFor: string | undefined) => string

/** More hops than any chain of proxies has; a longer header is cut from the left, where strangers write. */
const MAX_HOPS = 32

/**
 * Finds the caller's address behind proxies that the operator named, each an address or a network in CIDR notation.
 * X-Forwarded-For counts only from a trusted peer, and is read from the right to the first address that is not a trusted proxy:
 * what stands left of it was written by strangers. Throws a plain error for a proxy that is neither.
 */
export function createClientAddress(trustedProxies: readonly string[]): ClientAddress {
  const trusted = blockListOf(trustedProxies)
  const isTrusted = (address: string): boolean => trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (remote, forwardedFor) => {
    const peer = plainAddress(remote ?? '')
    if (forwardedFor === undefined || isIP(peer) === 0 || !isTrusted(peer)) return peer
    return walk(peer, forwardedFor, isTrusted)
  }
}

/** The last address that a trusted hop vouches for. An entry that is no address ends the walk: nobody can vouch for what is left of it. */
function walk(peer: string, forwardedFor: string, isTrusted: (address: string) => boolean): string {
  let client = peer
  for (const entry of forwardedFor.split(',').slice(-MAX_HOPS).toReversed()) {
    const address = plainAddress(entry.trim())
    if (isIP(address) === 0) return client
    client = address
    if (!isTrusted(address)) return client
  }
  return client
}

function blockListOf(trustedProxies: readonly string[]): BlockList {
  const list = new BlockList()
  for (const proxy of trustedProxies) addTo(list, proxy)
  return list
}

function addTo(list: BlockList, proxy: string): void {
  const [, address = '', bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(proxy) ?? []
  const version = isIP(address)
  const length = bits === undefined ? fullLength(version) : Number(bits)
  if (version === 0 || length > fullLength(version)) throw new Error(`${proxy} is neither an IP address nor a network in CIDR notation`)
  list.addSubnet(address, length, version === 6 ? 'ipv6' : 'ipv4')
}

const fullLength = (version: number): number => (version === 6 ? 128 : 32)
