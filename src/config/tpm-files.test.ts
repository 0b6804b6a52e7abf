import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { akCertificate, authority, ecKeys, listOf, years } from '../../test/tpm-trust-lab.ts'
import { markerExtension } from '../simulator/marker.ts'
import { loadConfig } from '../config.ts'
import { pinnedAnchors } from '../verifiers/anchors.ts'
import { NO_TPM_ANCHORS } from '../verifiers/tpm/anchors.ts'
import { tpmCrlAddress } from '../verifiers/tpm/trust/address.ts'
import { pinnedTpmAnchors } from '../verifiers/tpm/trust/pins.ts'
import { writeBundle } from '../collateral/bundle.ts'
import { groundsOf, readGrounds } from './grounds.ts'
import { readTpmFile, tpmAnchorsOf, tpmListsOf, trustAnchorsOf } from './tpm-files.ts'
import { printTpm } from './tpm.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-tpm-'))
const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const pem = (...ders: readonly Uint8Array[]): string =>
  ders
    .map(
      (der) =>
        `a comment\n-----BEGIN CERTIFICATE-----\n${Buffer.from(der)
          .toString('base64')
          .replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`,
    )
    .join('\n')

const [one, two, three] = [authority('one'), authority('two'), authority('three')]
const simulated = authority('simulated', undefined, { extensions: (all) => [...all, markerExtension] })
const leaf = akCertificate(ecKeys().publicKey, one)
const load = (yaml: string) => loadConfig({ environment: { ASSAY_CONFIG: 'c.yaml' }, readText: () => yaml }).config

const files = {
  two: write('two.pem', pem(one.der, two.der)),
  der: write('three.der', three.der),
  simulated: write('simulated.pem', pem(simulated.der)),
  leaf: write('leaf.pem', pem(leaf)),
  none: write('none.pem', 'nothing'),
  broken: write('broken.pem', pem(one.der.slice(0, -3))),
}

const rootsIn = (file: string) => load(`tpm: {roots: {files: [{file: ${file}, roles: [ak], authority: corp}]}}`).tpm.trust

describe('whom to trust with keys of TPMs', () => {
  it('is nobody by default', () => {
    expect(tpmAnchorsOf(load('').tpm.trust, 'production')).toEqual(NO_TPM_ANCHORS)
  })
  it('is what bundles pin, and what files hold', () => {
    const { trust } = load(`tpm:
  roots:
    bundles: [google, google, st]
    files:
      - {file: ${files.two}, roles: [ak], authority: corp}
      - {file: ${files.der}, roles: [ek, ak], authority: maker, manufacturers: ['53544d20']}
  certificates: [${files.leaf}]
`).tpm
    const { roots, pool } = tpmAnchorsOf(trust, 'production')
    const configured = { authority: 'corp', roles: ['ak'], manufacturers: [], origin: 'configured' }
    expect(roots).toEqual([
      ...pinnedTpmAnchors('google'),
      ...pinnedTpmAnchors('st'),
      { ...configured, sha256: one.sha256 },
      { ...configured, sha256: two.sha256 },
      { sha256: three.sha256, authority: 'maker', roles: ['ek', 'ak'], manufacturers: ['53544d20'], origin: 'configured' },
    ])
    expect(pool).toEqual([one.der, two.der, three.der, leaf])
  })
  it('has lists where they are configured', () => {
    const { trust } = load(`tpm: {crls: [{authority: ${files.der}, url: 'http://crl.example/three.crl'}]}`).tpm
    const address = tpmCrlAddress(three.spkiSha256)
    expect(tpmAnchorsOf(trust, 'production')).toMatchObject({
      roots: [],
      pool: [three.der],
      crlSources: [{ issuerSpkiSha256: three.spkiSha256, address }],
    })
    expect(tpmListsOf(trust, 'production')).toEqual(new Map([[address, { url: 'http://crl.example/three.crl' }]]))
  })
  it('is printed as it is written', () => {
    const text = `tpm:
  roots: {bundles: [azure], files: [{file: a, roles: [ek], authority: b, manufacturers: any}]}
  certificates: [c]
  crls: [{authority: d, file: e}, {authority: f, url: 'https://g/h'}]
`
    const { tpm } = load(text)
    expect(tpm.trust.roots[0]?.manufacturers).toBeNull()
    expect(load(JSON.stringify({ tpm: printTpm(tpm) })).tpm).toEqual(tpm)
  })
  it.each([
    ['an unknown bundle', 'tpm: {roots: {bundles: [acme]}}'],
    ['the name of a bundle for a file', 'tpm: {roots: {files: [{file: a, roles: [ak], authority: google}]}}'],
    ['our own name for a file', 'tpm: {roots: {files: [{file: a, roles: [ak], authority: assay}]}}'],
    ['no role', 'tpm: {roots: {files: [{file: a, roles: [], authority: corp}]}}'],
    ['endorsement keys of nobody', 'tpm: {roots: {files: [{file: a, roles: [ek], authority: corp}]}}'],
    ['a manufacturer in capitals', "tpm: {roots: {files: [{file: a, roles: [ek], authority: corp, manufacturers: ['53544D20']}]}}"],
    ['a list from nowhere', 'tpm: {crls: [{authority: a}]}'],
    ['a list from two places', "tpm: {crls: [{authority: a, file: b, url: 'https://c/d'}]}"],
    ['a list from a URL with a query', "tpm: {crls: [{authority: a, url: 'https://c/d?e'}]}"],
    ['a list by another scheme', "tpm: {crls: [{authority: a, url: 'ldap://c/d'}]}"],
    ['a list from a URL with a user', "tpm: {crls: [{authority: a, url: 'https://b@c/d'}]}"],
  ])('is not said with %s', (_, text) => expect(() => load(text)).toThrow(/tpm/))

  it.each([
    ['no authority', files.leaf, /not a certificate authority/],
    ['an authority of the simulator', files.simulated, /simulator/],
    ['nothing', files.none, /no certificate/],
    ['a broken certificate', files.broken, /broken\.pem/],
  ])('is not in a file that holds %s', (_, file, why) => expect(() => tpmAnchorsOf(rootsIn(file), 'production')).toThrow(why))
  it('is not in a file that is absent', () => expect(() => readTpmFile(join(folder, 'absent'), 'x')).toThrow(/ENOENT/))
  it('is for tests what the simulator minted', () => {
    expect(tpmAnchorsOf(rootsIn(files.simulated), 'test').roots).toMatchObject([{ sha256: simulated.sha256, origin: 'test' }])
  })
  it('needs one certificate for a list', () => {
    const { trust } = load(`tpm: {crls: [{authority: ${files.two}, file: x}]}`).tpm
    expect(() => tpmAnchorsOf(trust, 'production')).toThrow(/more than one certificate/)
  })
  it('may be told at the command line', () => {
    expect(trustAnchorsOf([files.der], 'production')).toEqual({
      roots: [{ sha256: three.sha256, roles: ['ak', 'ek'], authority: 'trust-anchor', manufacturers: null, origin: 'configured' }],
      pool: [three.der],
    })
    expect(() => trustAnchorsOf([files.leaf], 'production')).toThrow(/trust_anchor/)
  })
})

describe('the grounds of a verification', () => {
  const now = years(0)
  it('hold authorities of TPMs beside the pinned keys of others, and certificates and lists of bundles', async () => {
    const list = listOf(three)
    const items = [
      { kind: 'tpm-certificate', der: leaf },
      { kind: 'tpm-crl', der: list },
    ] as const
    const bundle = write('bundle.json', writeBundle({ items }))
    const { trust } = load(`tpm: {crls: [{authority: ${files.der}, file: x}]}`).tpm
    const given = { insecureTestRoots: [], collateralBundles: [bundle], tpm: { trust }, trustAnchors: [files.two] }
    const { anchors, mode, documents } = await readGrounds(given, now)
    expect(mode).toBe('production')
    expect(anchors.amd).toBe(pinnedAnchors.amd)
    expect(anchors.tpm.roots.map(({ sha256 }) => sha256)).toEqual([one.sha256, two.sha256])
    expect(anchors.tpm.pool).toEqual([three.der, one.der, two.der, leaf])
    expect(documents).toEqual(new Map([[tpmCrlAddress(three.spkiSha256), list]]))
    expect(anchors.digest).not.toBe(pinnedAnchors.digest)
  })
  it('are those of the configuration', async () => {
    const config = load(`tpm: {roots: {bundles: [azure]}}`)
    expect((await groundsOf(config)).anchors.tpm.roots).toEqual(pinnedTpmAnchors('azure'))
  })
})
