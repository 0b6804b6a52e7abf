import { createSecretKey, randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { openDocument, sealDocument } from './documents.ts'
import { openRecord, sealRecord, type StoredRecord } from './record.ts'

const keys = { stored: createSecretKey(randomBytes(32)) }
const record: StoredRecord = { purpose: 'document', name: 'amd/crl/Milan/vcek', counter: 7, value: Buffer.from('value') }

describe('a sealed record', () => {
  it('opens to what was sealed', () => {
    const opened = openRecord(keys, record, sealRecord(keys, record))
    expect(opened).toMatchObject({ counter: 7, name: record.name, purpose: 'document' })
    expect(Buffer.from((opened as StoredRecord).value).toString()).toBe('value')
  })

  it('is forged once any of its bytes differs', () => {
    const sealed = sealRecord(keys, record)
    for (let i = 0; i < sealed.length; i += 1) {
      const changed = Uint8Array.from(sealed)
      changed[i] = (changed[i] ?? 0) ^ 1
      // A digit of the version is the one byte whose change is not a forged seal but another version; version 0 never existed.
      expect(openRecord(keys, record, changed), `byte ${i}`).toBe('forged')
    }
  })

  it.each([0, 1, 14, 15, 40, 54])('is forged when cut to %i bytes', (length) => {
    expect(openRecord(keys, record, sealRecord(keys, record).subarray(0, length))).toBe('forged')
  })

  it('cannot stand in for another name, purpose or key', () => {
    const sealed = sealRecord(keys, record)
    expect(openRecord(keys, { ...record, name: 'amd/crl/Genoa/vcek' }, sealed)).toBe('forged')
    expect(openRecord(keys, { ...record, purpose: 'marks' }, sealed)).toBe('forged')
    expect(openRecord({ stored: createSecretKey(randomBytes(32)) }, record, sealed)).toBe('forged')
  })

  it('refuses what a newer version wrote, rather than taking it for absent', () => {
    const newer = Buffer.from(
      Buffer.from(sealRecord(keys, record)).toString('latin1').replace('assay-record/1', 'assay-record/2'),
      'latin1',
    )
    expect(() => openRecord(keys, record, newer)).toThrow(/newer version/)
  })
})

describe('a sealed document', () => {
  const document = {
    address: 'amd/crl/Milan/vcek',
    bytes: Uint8Array.from([1, 2, 3]),
    fetchedAt: new Date('2026-01-01T00:00:00Z'),
    expiresAt: new Date('2026-02-01T00:00:00Z'),
  } as const

  it('opens for its own address only', () => {
    const sealed = sealDocument(keys, document)
    expect(openDocument(keys, document.address, sealed)).toEqual(document)
    expect(openDocument(keys, 'amd/crl/Milan/vlek', sealed)).toBe('forged')
  })

  it('is forged when the sealed value is too short to hold its times', () => {
    const short = sealRecord(keys, { purpose: 'document', name: document.address, counter: 0, value: new Uint8Array(15) })
    expect(openDocument(keys, document.address, short)).toBe('forged')
  })
})
