import { generateKeyPairSync, sign } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { assay, tempFiles, type Files } from '../../test/cli.ts'
import { digestOf, setText } from '../../test/reference-sets.ts'
import { vectorPath, vectorsPresent } from '../../test/vectors.ts'
import { readReferenceSet } from '../appraisal/reference-values.ts'

let files: Files
beforeEach(() => {
  files = tempFiles()
})
afterEach(() => files.remove())

const MEASUREMENTS = JSON.stringify({
  version: 'v2.25.0',
  ref: '-',
  stream: 'stable',
  list: [{ csp: 'AWS', attestationVariant: 'aws-sev-snp', measurements: { 4: { expected: digestOf(4, 32), warnOnly: false } } }],
})

const NAMED = ['--format', 'constellation', '--name', 'nodes', '--owner', 'Platform team']

describe('assay reference lint', () => {
  it('says what each file holds', async () => {
    const good = files.write('a.yaml', setText([1, 2], { standing: { state: 'active' }, version: 3 }))
    expect(await assay(['reference', 'lint', good])).toEqual({
      code: 0,
      out: `${good}: nodes version 3, active: snp.measurements 2`,
      err: '',
    })
  })

  it('says everything that is wrong by path and line', async () => {
    const bad = files.write('a.yaml', 'name: nodes\nowner: me\nsnp:\n  measurements: [aa]\n')
    const { code, out } = await assay(['reference', 'lint', files.write('b.yaml', setText([1])), bad])
    expect(code).toBe(1)
    expect(out).toContain(`${bad} cannot be used:`)
    expect(out).toMatch(/line 4 +snp\.measurements\[0\]: expected lower-case hex of 48 bytes/)
    expect(out).toContain('provenance: ')
  })

  it('gives the same as JSON', async () => {
    const { out } = await assay(['reference', 'lint', '--json', files.write('a.yaml', setText([1]))])
    expect(JSON.parse(out)).toEqual([
      expect.objectContaining({
        problems: [],
        set: expect.objectContaining({ name: 'nodes', state: 'draft', values: { 'snp.measurements': 1 } }),
      }),
    ])
  })

  it('fails on a file that is not there', async () => {
    expect((await assay(['reference', 'lint', files.path('nowhere')])).code).toBe(2)
  })
})

const writeSets = () => {
  files.write('sets/a.yaml', setText([1], { standing: { state: 'deprecated', until: '2026-07-01T00:00:00Z' } }))
  files.write('sets/b.yaml', setText([2], { version: 2, standing: { state: 'active' } }))
  files.write('sets/c.yaml', setText([3], { version: 3, standing: { state: 'revoked', reason: 'leaked build' } }))
  return files.path('sets')
}

describe('assay reference list', () => {
  it.each([
    ['2026-06-30T00:00:00Z', [true, true, false]],
    ['2026-07-01T00:00:00Z', [false, true, false]],
  ])('tells what counts at %s', async (at, inForce) => {
    const { code, out } = await assay(['reference', 'list', writeSets(), '--at', at, '--json'])
    expect(code).toBe(0)
    expect((JSON.parse(out) as { in_force: boolean }[]).map((version) => version.in_force)).toEqual(inForce)
  })

  it('finds the folder in the configuration, and says why a version does not count', async () => {
    const { out } = await assay(['reference', 'list'], { ASSAY_REFERENCE_DIR: writeSets() })
    expect(out).toMatch(/nodes 3 +revoked: leaked build; owner Platform team;\s+[0-9a-f]{64}/)
  })

  it('needs a folder', async () => {
    expect(await assay(['reference', 'list'])).toMatchObject({ code: 2, err: expect.stringContaining('name a folder') })
  })

  it('refuses a folder with a set that cannot be used', async () => {
    files.write('sets/a.yaml', 'name: [')
    expect((await assay(['reference', 'list', files.path('sets')])).code).toBe(2)
  })
})

describe('assay reference import', () => {
  it('makes a set of a document of Constellation, and gives the same document back', async () => {
    const set = files.path('nodes.json')
    const made = await assay(['reference', 'import', files.write('m.json', MEASUREMENTS), ...NAMED, '--out', set])
    expect(made).toEqual({ code: 0, out: '', err: expect.stringContaining('nobody was asked') })
    expect((await assay(['reference', 'lint', set])).out).toContain('nodes version 1, draft: tpm.pcrs.sha256.4 1')
    const entry = ['--image-version', 'v2.25.0', '--csp', 'AWS', '--variant', 'aws-sev-snp']
    const back = await assay(['reference', 'export', set, '--format', 'constellation', ...entry])
    expect(JSON.parse(back.out)).toEqual(JSON.parse(MEASUREMENTS))
  })

  it('refuses a document about another image', async () => {
    const document = files.write('m.json', MEASUREMENTS)
    expect(await assay(['reference', 'import', document, ...NAMED, '--image-version', 'v2.26.0'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('version: v2.25.0, not v2.26.0'),
    })
  })

  it('believes the key that is named, and no other', async () => {
    const [signer, other] = [generateKeyPairSync('ec', { namedCurve: 'P-256' }), generateKeyPairSync('ec', { namedCurve: 'P-256' })]
    const pem = (key: typeof signer, name: string) => files.write(name, key.publicKey.export({ type: 'spki', format: 'pem' }))
    const document = files.write('m.json', MEASUREMENTS)
    const signature = files.write('m.sig', sign('sha256', Buffer.from(MEASUREMENTS), signer.privateKey).toString('base64'))
    const taking = (key: string) => assay(['reference', 'import', document, ...NAMED, '--signature', signature, '--key', key])
    expect(await taking(pem(signer, 'a.pem'))).toMatchObject({
      code: 0,
      err: expect.stringContaining('the signature over the document is good'),
    })
    expect(await taking(pem(other, 'b.pem'))).toMatchObject({ code: 1, out: '', err: expect.stringContaining('not of this key') })
    expect((await assay(['reference', 'import', document, ...NAMED, '--signature', signature])).code).toBe(2)
  })

  it('takes plain JSON as it is, written out', async () => {
    const { code, out } = await assay(['reference', 'import', files.write('a.json', setText([1]))])
    expect(code).toBe(0)
    expect(readReferenceSet(out, 'a')).toEqual(readReferenceSet(setText([1]), 'a'))
  })

  it('needs to be told what a document of Constellation does not say', async () => {
    expect((await assay(['reference', 'import', files.write('m.json', MEASUREMENTS), '--format', 'constellation'])).code).toBe(2)
  })
})

describe('assay reference export', () => {
  it('prints plain JSON without version and standing', async () => {
    const { out } = await assay(['reference', 'export', files.write('a.yaml', setText([1], { version: 4, standing: { state: 'active' } }))])
    expect(readReferenceSet(out, 'a')).toEqual(readReferenceSet(setText([1]), 'a'))
  })

  it('refuses what the other form has no place for', async () => {
    const entry = ['--image-version', 'v1', '--csp', 'AWS', '--variant', 'aws-sev-snp']
    const set = files.write('a.yaml', setText([1]))
    expect(await assay(['reference', 'export', set, '--format', 'constellation', ...entry])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('snp.measurements: has no place'),
    })
    expect((await assay(['reference', 'export', set, '--format', 'constellation'])).code).toBe(2)
  })
})

const takingVector = (name: string, version: string) => {
  const at = (file: string) => vectorPath(`sigstore/${name}/${file}`)
  const signed = ['--signature', at('measurements.json.sig'), '--key', at('key.pub')]
  return assay(['reference', 'import', at('measurements.json'), ...NAMED, ...signed, '--image-version', version])
}

describe.runIf(vectorsPresent())('signed documents of Constellation', () => {
  it('are taken when the image is the one that was asked for', async () => {
    expect((await takingVector('constellation-measurements-v2-testkey', 'v1.0.0-test')).code).toBe(0)
  })

  it('are refused when it is another, however good the signature', async () => {
    expect((await takingVector('constellation-measurements-v2-wrong-image_fail', 'v1.0.0-another-image')).code).toBe(1)
  })
})
