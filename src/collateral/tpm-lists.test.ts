import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NOW, anchorsWith, authority, listOf } from '../../test/tpm-trust-lab.ts'
import { memoryStores } from '../stores/memory.ts'
import { tpmCrlAddress } from '../verifiers/tpm/trust/address.ts'
import { fetchCollateral } from './one-shot.ts'
import { createTpmLists } from './tpm-lists.ts'
import { exportBundle, importBundle, importDocuments } from './transfer.ts'
import { readBundle } from './bundle.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-lists-'))
const root = authority('root')
const list = listOf(root)
const address = tpmCrlAddress(root.spkiSha256)
const pem = `-----BEGIN X509 CRL-----\n${Buffer.from(list)
  .toString('base64')
  .replaceAll(/.{64}(?=.)/g, '$&\n')}\n-----END X509 CRL-----\n`

const server = createServer((request, response) => {
  const body = { '/list.crl': list, '/list.pem': Buffer.from(pem), '/text': Buffer.from('text') }[request.url ?? '']
  response.writeHead(body === undefined ? 404 : 200).end(body)
})
let base = ''
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bound = server.address()
  base = typeof bound === 'object' && bound !== null ? `http://127.0.0.1:${bound.port}` : ''
})
afterAll(() => server.close())

const write = (name: string, content: string | Uint8Array): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const fetched = (source: { url: string } | { file: string }) => createTpmLists(new Map([[address, source]])).fetch(address)

describe('lists of TPM authorities', () => {
  it.each([
    ['a URL', () => fetched({ url: `${base}/list.crl` })],
    ['a URL in PEM', () => fetched({ url: `${base}/list.pem` })],
    ['a file', () => fetched({ file: write('list.crl', list) })],
    ['a file in PEM', () => fetched({ file: write('list.pem', pem) })],
  ])('are had from %s', async (_, ask) => {
    const answer = await ask()
    expect(answer.outcome === 'found' && Buffer.compare(answer.bytes, list)).toBe(0)
  })
  it.each([
    ['a URL that has none', () => fetched({ url: `${base}/other` }), 'not-found'],
    ['a URL that gives something else', () => fetched({ url: `${base}/text` }), 'unavailable'],
    ['a file that is absent', () => fetched({ file: join(folder, 'absent') }), 'unavailable'],
    ['an empty file', () => fetched({ file: write('empty', '') }), 'unavailable'],
    ['a file that is too large', () => fetched({ file: write('large', new Uint8Array(8 * 1024 * 1024 + 1)) }), 'unavailable'],
    ['nowhere', () => createTpmLists(new Map()).fetch(address), 'unavailable'],
  ])('are not had from %s', async (_, ask, outcome) => expect(await ask()).toMatchObject({ outcome }))

  it('are kept once they prove genuine, go into bundles and come out again', async () => {
    const anchors = anchorsWith({ pool: [root.der], crlSources: [{ issuerSpkiSha256: root.spkiSha256, address }] })
    const client = createTpmLists(new Map([[address, { url: `${base}/list.crl` }]]))
    const { documents } = await fetchCollateral(client, [address])
    const target = { store: memoryStores().collateral, anchors, now: NOW }
    expect(await importDocuments(documents, target)).toMatchObject([{ name: address, outcome: 'stored' }])
    expect(await target.store.mark(address)).toMatchObject({ number: 7n })
    const bundle = readBundle(await exportBundle(target.store))
    expect(bundle.items).toEqual([{ kind: 'tpm-crl', der: list }])
    const other = { ...target, store: memoryStores().collateral }
    expect(await importBundle(bundle, other)).toMatchObject([{ name: address, outcome: 'stored' }])
    // Whoever configured no list of this authority keeps none.
    expect(await importBundle(bundle, { ...other, anchors: anchorsWith({ pool: [root.der] }) })).toMatchObject([
      { name: 'tpm-crl', outcome: 'ignored' },
    ])
  })
})
