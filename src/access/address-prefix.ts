import { isIP } from 'node:net'

/** Whoever has no address that can be read shares one allowance. */
const UNKNOWN = 'unknown'

/** IPv4 in IPv6 as sockets show it (RFC 4291 section 2.5.5.2), in words of 16 bits. */
const MAPPED = [0, 0, 0, 0, 0, 0xffff]

/**
 * The network that counts as one caller (design section 7): /24 for IPv4, also where it is mapped into IPv6, and /56 for IPv6,
 * the smallest that providers hand to one customer. Every spelling of one address gives the same text.
 */
export function addressPrefix(address: string): string {
  const plain = address.split('%', 1)[0] ?? ''
  const version = isIP(plain)
  if (version === 0) return UNKNOWN
  return version === 4 ? prefixOf4(plain) : prefixOf6(plain)
}

/** An address as it is written without zone and without the mapping of IPv4 into IPv6. */
export function plainAddress(address: string): string {
  const plain = address.split('%', 1)[0] ?? ''
  if (isIP(plain) !== 6) return plain
  return mappedIn(words(plain)) ?? plain
}

function prefixOf4(address: string): string {
  return `${address.slice(0, address.lastIndexOf('.'))}.0/24`
}

function prefixOf6(address: string): string {
  const all = words(address)
  const mapped = mappedIn(all)
  if (mapped !== undefined) return prefixOf4(mapped)
  const [a = 0, b = 0, c = 0, d = 0] = all
  return `${[a, b, c, d & 0xff00].map((word) => word.toString(16)).join(':')}::/56`
}

function mappedIn(all: readonly number[]): string | undefined {
  if (!MAPPED.every((word, i) => all[i] === word)) return undefined
  return all
    .slice(MAPPED.length)
    .flatMap((word) => [word >> 8, word & 0xff])
    .join('.')
}

/** The eight words of an address that `isIP` found to be IPv6. */
function words(address: string): readonly number[] {
  const [head = '', tail] = address.split('::')
  const [front, back] = [groups(head), groups(tail ?? '')]
  return [...front, ...Array<number>(8 - front.length - back.length).fill(0), ...back]
}

const groups = (text: string): readonly number[] => (text === '' ? [] : text.split(':').flatMap(groupWords))

/** One group is one word, but a dotted end is two. */
function groupWords(group: string): readonly number[] {
  if (!group.includes('.')) return [Number.parseInt(group, 16)]
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}
