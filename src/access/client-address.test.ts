import { describe, expect, it } from 'vitest'
import { addressPrefix, plainAddress } from './address-prefix.ts'
import { createClientAddress, type ClientAddress } from './client-address.ts'

describe('addressPrefix', () => {
  it.each([
    ['192.0.2.77', '192.0.2.0/24'],
    ['0.0.0.0', '0.0.0.0/24'],
    ['::ffff:192.0.2.77', '192.0.2.0/24'],
    ['::FFFF:c000:024d', '192.0.2.0/24'],
    ['0:0:0:0:0:ffff:192.0.2.77', '192.0.2.0/24'],
    ['2001:db8:1:2ff::1', '2001:db8:1:200::/56'],
    ['2001:0db8:0001:02ff:aaaa:bbbb:cccc:dddd', '2001:db8:1:200::/56'],
    ['2001:DB8:1:200::', '2001:db8:1:200::/56'],
    ['2001:db8:1:300::', '2001:db8:1:300::/56'],
    ['fe80::1%eth0', 'fe80:0:0:0::/56'],
    ['::1', '0:0:0:0::/56'],
    ['::', '0:0:0:0::/56'],
    ['1::', '1:0:0:0::/56'],
    ['64:ff9b::192.0.2.1', '64:ff9b:0:0::/56'],
    ['::192.0.2.77', '0:0:0:0::/56'],
    ['', 'unknown'],
    ['nonsense', 'unknown'],
    ['192.0.2.77:443', 'unknown'],
    ['192.0.2', 'unknown'],
    ['1:2:3', 'unknown'],
  ])('of %s is %s', (address, prefix) => {
    expect(addressPrefix(address)).toBe(prefix)
  })
})

describe('plainAddress', () => {
  it.each([
    ['::ffff:192.0.2.77', '192.0.2.77'],
    ['::ffff:c000:24d', '192.0.2.77'],
    ['192.0.2.77', '192.0.2.77'],
    ['fe80::1%eth0', 'fe80::1'],
    ['2001:db8::1', '2001:db8::1'],
    ['garbage', 'garbage'],
  ])('of %s is %s', (address, plain) => {
    expect(plainAddress(address)).toBe(plain)
  })
})

// Made anew for each call, so that a test answers for all that makes it.
const clientOf: ClientAddress = (...call) => createClientAddress(['10.0.0.0/8', '2001:db8:ffff::/48', '203.0.113.9'])(...call)

describe('createClientAddress', () => {
  it.each([
    ['the peer where it is no proxy, whatever it claims', '198.51.100.7', '192.0.2.1', '198.51.100.7'],
    ['the peer where nothing is forwarded', '10.0.0.1', undefined, '10.0.0.1'],
    ['what a proxy says', '10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['what a proxy says over IPv4 in IPv6', '::ffff:10.0.0.1', '192.0.2.1', '192.0.2.1'],
    ['what an IPv6 proxy says', '2001:db8:ffff::1', '2001:db8::5', '2001:db8::5'],
    ['what a single listed proxy says', '203.0.113.9', '192.0.2.1', '192.0.2.1'],
    ['the peer next to a listed one', '203.0.113.10', '192.0.2.1', '203.0.113.10'],
    ['the last address that is no proxy, not what a stranger wrote before it', '10.0.0.1', '1.2.3.4, 192.0.2.1, 10.9.9.9', '192.0.2.1'],
    ['the first of proxies alone', '10.0.0.1', '10.0.0.3, 10.0.0.2', '10.0.0.3'],
    ['the proxy that passed on an unreadable entry', '10.0.0.1', '192.0.2.1, unknown', '10.0.0.1'],
    ['the hop behind an unreadable entry', '10.0.0.1', '192.0.2.1, "x", 10.0.0.2', '10.0.0.2'],
    ['the proxy itself where the header is empty', '10.0.0.1', '', '10.0.0.1'],
    ['the mapped address without its mapping', '10.0.0.1', '::ffff:192.0.2.1', '192.0.2.1'],
    ['nothing where the socket has no address', undefined, '192.0.2.1', ''],
    ['what the socket says where that is no address', 'garbage', '192.0.2.1', 'garbage'],
    ['what the last proxy of a network says', '10.255.255.255', '192.0.2.1', '192.0.2.1'],
    ['the peer next to a network of proxies', '11.0.0.0', '192.0.2.1', '11.0.0.0'],
    ['the peer next to an IPv6 network of proxies', '2001:db8:fffe::1', '192.0.2.1', '2001:db8:fffe::1'],
  ])('answers %s', (_, ...[remote, forwarded, expected]) => {
    expect(clientOf(remote, forwarded)).toBe(expected)
  })

  it.each([
    ['192.0.2.7/32', '192.0.2.7', '192.0.2.6'],
    ['0.0.0.0/0', '192.0.2.7', '2001:db8::1'],
    ['2001:db8::7/128', '2001:db8::7', '2001:db8::6'],
    ['2000::/3', '2001:db8::7', '192.0.2.7'],
    ['2001:db8::7', '2001:db8::7', '2001:db8::6'],
  ])('takes %s for a proxy: %s is one, %s is none', (proxy, ...[one, none]) => {
    const clientOfOne = createClientAddress([proxy])
    expect([clientOfOne(one, '198.51.100.1'), clientOfOne(none, '198.51.100.1')]).toEqual(['198.51.100.1', none])
  })

  it('trusts no header where no proxy is configured', () => {
    expect(createClientAddress([])('127.0.0.1', '192.0.2.1')).toBe('127.0.0.1')
  })

  it('reads a bounded number of hops', () => {
    const hops = ['192.0.2.1', ...Array<string>(100_000).fill('10.0.0.2')].join(',')
    expect(clientOf('10.0.0.1', hops)).toBe('10.0.0.2')
  })

  it.each(['proxy.example', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', '2001:db8::/129', '10.0.0.0/-1', '', '10.0.0.0/8 '])(
    'refuses %j as a proxy',
    (proxy) => {
      expect(() => createClientAddress([proxy])).toThrow('neither an IP address nor a network')
    },
  )
})
