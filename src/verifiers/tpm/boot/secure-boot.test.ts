import { describe, expect, it } from 'vitest'
import * as lab from '../../../../test/boot-log.ts'
import { text } from '../../../../test/event-log-bytes.ts'
import type { TpmRigour } from '../context.ts'
import type { SecureBootClaims } from './claims.ts'

const { AUTHORITY, CONFIG, GUID, TYPE } = lab
const SEPARATOR = lab.separator(7)
const GOOD: readonly lab.Event[] = [...CONFIG, SEPARATOR, AUTHORITY]
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** PCR 7 alone: what it tells, or why it cannot be believed. */
function read(events: readonly lab.Event[], rigour: Partial<TpmRigour> = {}): SecureBootClaims | string {
  const { checks, claims } = lab.judgeEvents(events, { pcrs: lab.pcrsAfter(events, [7]), rigour })
  const check = checks.find(({ id }) => id === 'TPM-50')
  if (check?.outcome === 'fail') return `${check.code === 'tpm-secureboot-log-invalid' ? '' : check.code}${check.actual}`
  return claims?.secure_boot ?? checks.flatMap((other) => (other.outcome === 'fail' ? [other.code] : [])).join(' ')
}
const told = (events: readonly lab.Event[], rigour: Partial<TpmRigour> = {}): SecureBootClaims => {
  const result = read(events, rigour)
  if (typeof result === 'string') throw new Error(result)
  return result
}
/** The good log with one variable of the configuration instead of its own. */
const changed = (name: string, data: Uint8Array): readonly lab.Event[] => {
  const guid = name.startsWith('db') ? GUID.security : GUID.global
  const place = CONFIG.findIndex((event) => hex(event.data).includes(hex(Buffer.from(name, 'utf16le')) + (name === 'db' ? 'a159' : '')))
  return GOOD.with(place, lab.variable(guid, name, data))
}
const config = (name: string, ...value: readonly number[]): lab.Event => lab.variable(GUID.global, name, Uint8Array.from(value))
const shim = (name: string, data: Uint8Array): lab.Event => lab.authority(GUID.shim, name, data)

describe('Secure Boot', () => {
  it('is told with its keys and what was booted by them', () => {
    const digests = (name: string) => [hex(lab.sha256(lab.certificate(name)))]
    expect(told(GOOD)).toEqual({
      enabled: true,
      variable: true,
      setup_mode: null,
      pk: { certificates: digests('pk'), sha256: [], unhandled: 0 },
      kek: { certificates: digests('kek'), sha256: [], unhandled: 0 },
      db: { certificates: digests('db'), sha256: [], unhandled: 0 },
      dbx: { certificates: [], sha256: [hex(lab.sha256(text('bad'))), hex(lab.sha256(text('worse')))], unhandled: 0 },
      authorities: [{ sha256: digests('db')[0], variable: 'db', pre_separator: false }],
      sbat_level: null,
      shim_validation_disabled: false,
      debug_mode: false,
      dma_protection_disabled: false,
    })
  })

  it.each<[string, readonly lab.Event[]]>([
    ['SecureBoot is 0', changed('SecureBoot', Uint8Array.of(0))],
    ['SecureBoot was not measured', GOOD.slice(1)],
    ['SecureBoot has another GUID', GOOD.with(0, lab.variable(GUID.security, 'SecureBoot', Uint8Array.of(1)))],
    ['PK is empty', changed('PK', new Uint8Array())],
    ['KEK is empty', changed('KEK', new Uint8Array())],
    ['db is empty', changed('db', new Uint8Array())],
    ['db has a list without entries', changed('db', lab.signatureList(GUID.x509).with(24, 17))],
    ['nothing was booted by it', [...CONFIG, SEPARATOR]],
    ['a key of shim alone let something boot', [...CONFIG, SEPARATOR, shim('Shim', lab.certificate('vendor'))]],
    ['the firmware was in setup mode', [config('SetupMode', 1), ...GOOD]],
    ['the firmware was in audit mode', [config('AuditMode', 1), ...GOOD]],
    ['shim was told to let everything pass', [...GOOD, shim('MokSBState', Uint8Array.of(1))]],
  ])('is not in effect where %s', (_, events) => {
    expect(told(events).enabled).toBe(false)
  })

  it('is in effect in deployed mode, out of setup mode, and under shim that looks at signatures', () => {
    const events = [
      config('SetupMode', 0),
      config('AuditMode', 0),
      config('DeployedMode', 1),
      ...GOOD,
      shim('MokSBState', Uint8Array.of(0)),
    ]
    expect(told(events)).toMatchObject({ enabled: true, setup_mode: false, shim_validation_disabled: false })
    expect(told([...GOOD, shim('MokSBState', Uint8Array.of(1))]).shim_validation_disabled).toBe(true)
    expect(told([config('SetupMode', 1), ...GOOD]).setup_mode).toBe(true)
  })

  it('may have an empty variable where the policy allows it', () => {
    const events = changed('SecureBoot', new Uint8Array())
    expect(read(events)).toBe('event 0 of PCR 7 is SecureBoot, which is neither 0 nor 1')
    expect(told(events, { emptySecureBootVariable: 'allow' })).toMatchObject({ enabled: false, variable: null })
    expect(read([config('SetupMode'), ...GOOD], { emptySecureBootVariable: 'allow' })).toBe(
      'event 0 of PCR 7 is SetupMode, which is neither 0 nor 1',
    )
  })

  it('counts entries of types that nobody reads', () => {
    const lists = Buffer.concat([lab.signatureList(GUID.other, text('entry'), text('other')), lab.signatureList(GUID.x509, text('der'))])
    expect(told(changed('db', new Uint8Array(lists))).db).toEqual({
      certificates: [hex(lab.sha256(text('der')))],
      sha256: [],
      unhandled: 2,
    })
  })

  it('tells actions that weaken it', () => {
    expect(told([lab.secureBootAction('UEFI Debug Mode'), ...GOOD])).toMatchObject({ debug_mode: true, dma_protection_disabled: false })
    expect(told([...GOOD, lab.secureBootAction('DMA Protection Disabled\0')])).toMatchObject({
      debug_mode: false,
      dma_protection_disabled: true,
    })
  })
})

// Rows 59, 60, 63 and 70 of specification tpm.md section 17.
describe('PCR 7 is refused', () => {
  const list = lab.signatureList(GUID.x509, text('der'))
  const relabelled = (place: number, type: number): readonly lab.Event[] => GOOD.with(place, { ...(GOOD[place] as lab.Event), type })
  it.each<[string, readonly lab.Event[], string]>([
    ['with an authority of an unused type', relabelled(6, 2), 'event 6 of PCR 7 is of type 0x2, which has no place there'],
    [
      'with an application',
      [...GOOD, { pcr: 7, type: TYPE.application, data: text('x') }],
      'event 7 of PCR 7 is of type 0x80000003, which has no place there',
    ],
    ['with a variable behind the separator', [...GOOD, config('Other', 1)], 'event 7 of PCR 7 is a variable behind the separator'],
    ['with an authority as a variable', relabelled(6, TYPE.config), 'event 6 of PCR 7 is a variable behind the separator'],
    ['with a variable twice', [config('Other', 1), config('Other', 1), ...GOOD], 'event 1 of PCR 7 is Other, for the second time'],
    ['with a variable as an authority', relabelled(0, TYPE.authority), 'event 0 of PCR 7 is an authority before the separator'],
    ['with data that are no variable', [{ pcr: 7, type: TYPE.config, data: text('x') }, ...GOOD], 'event 0 of PCR 7 is no variable'],
    [
      'with an authority that is no variable',
      [...GOOD, { pcr: 7, type: TYPE.authority, data: text('x') }],
      'event 7 of PCR 7 is no variable',
    ],
    ['with SecureBoot of 2', changed('SecureBoot', Uint8Array.of(2)), 'event 0 of PCR 7 is SecureBoot, which is neither 0 nor 1'],
    [
      'with SecureBoot of two bytes',
      changed('SecureBoot', Uint8Array.of(1, 0)),
      'event 0 of PCR 7 is SecureBoot, which is neither 0 nor 1',
    ],
    ['with bytes behind a list', changed('db', new Uint8Array([...list, 0])), 'event 3 of PCR 7 is db, which is no list'],
    ['with a list that ends early', changed('db', list.subarray(0, -1)), 'event 3 of PCR 7 is db, which is no list'],
    ['with a list shorter than its head', changed('db', list.with(16, 27)), 'event 3 of PCR 7 is db, which is no list'],
    ['with entries that do not fill their list', changed('db', list.with(24, 18)), 'event 3 of PCR 7 is db, which is no list'],
    ['with entries of no size', changed('db', list.with(24, 0)), 'event 3 of PCR 7 is db, which is no list'],
    [
      'with SHA-256 entries of another size',
      changed('dbx', lab.signatureList(GUID.sha256, text('short'))),
      'event 4 of PCR 7 is dbx, which is no list',
    ],
    ['with another action', [lab.secureBootAction('UEFI Debug mode'), ...GOOD], 'event 0 of PCR 7 is an action that nobody knows'],
    [
      'with an authority of another GUID',
      [...GOOD, lab.authority(GUID.global, 'db', lab.certificate('db'))],
      'event 7 of PCR 7 is called an authority, and is none',
    ],
    [
      'with an authority of dbx',
      [...GOOD, lab.authority(GUID.security, 'dbx', lab.certificate('db'))],
      'event 7 of PCR 7 is called an authority, and is none',
    ],
    [
      'with a whole db as an authority',
      [...GOOD, lab.authority(GUID.security, 'db', lab.signatureList(GUID.x509, lab.certificate('db')))],
      'event 7 of PCR 7 is called an entry of db, and is none',
    ],
  ])('%s', (_, events, why) => {
    expect(read(events)).toBe(why)
  })

  it('with other data than its digests', () => {
    const first = GOOD[0] as lab.Event
    const lie = GOOD.with(0, { ...first, data: first.data.with(first.data.length - 1, 0), of: first.data })
    expect(lab.codesOf(lab.judgeEvents(lie, { pcrs: lab.pcrsAfter(lie, [7]) }))).toEqual([
      'TPM-49 tpm-eventlog-event-data-mismatch',
      'TPM-50 tpm-secureboot-log-invalid',
    ])
  })
})

const padded = (zeros: readonly number[]): lab.Event => {
  const { data } = shim('Shim', lab.certificate('vendor'))
  const hashed = new Uint8Array([...data, ...zeros])
  return { pcr: 7, type: TYPE.authority, data: new Uint8Array([...hashed, 0xaf]), of: hashed }
}

describe('an authority', () => {
  const rom = lab.authority(GUID.security, 'db', lab.owned(lab.certificate('rom')))

  it('before the separator counts only where the policy allows it, and never as a boot', () => {
    expect(read([...CONFIG, rom, SEPARATOR, AUTHORITY])).toBe('event 5 of PCR 7 is an authority before the separator')
    const { enabled, authorities } = told([...CONFIG, rom, SEPARATOR, AUTHORITY], { preSeparatorAuthority: 'allow' })
    expect([enabled, authorities.map(({ pre_separator: before }) => before)]).toEqual([true, [true, false]])
    expect(told([...CONFIG, rom, SEPARATOR], { preSeparatorAuthority: 'allow' }).enabled).toBe(false)
    const database = { ...(CONFIG[3] as lab.Event), type: TYPE.authority }
    expect(read([database, ...CONFIG, SEPARATOR], { preSeparatorAuthority: 'allow' })).toBe(
      'event 0 of PCR 7 is called an entry of db, and is none',
    )
  })

  it.each<[string, Uint8Array, Uint8Array]>([
    ['a certificate with an owner', lab.owned(lab.certificate('a')), lab.certificate('a')],
    ['a certificate alone', lab.certificate('a'), lab.certificate('a')],
    ['the digest of an image', lab.owned(lab.sha256(text('image'))), lab.sha256(text('image'))],
    ['a SHA-384 digest', lab.owned(new Uint8Array(48)), new Uint8Array(48)],
    ['a SHA-512 digest', lab.owned(new Uint8Array(64)), new Uint8Array(64)],
  ])('of db is %s', (_, data, content) => {
    const events = [...CONFIG, SEPARATOR, lab.authority(GUID.security, 'db', data)]
    expect(told(events)).toMatchObject({ enabled: true, authorities: [{ sha256: hex(lab.sha256(content)), variable: 'db' }] })
  })

  it.each<[string, Uint8Array]>([
    ['a certificate that ends early', lab.owned(lab.certificate('a').subarray(0, -1))],
    ['a certificate with a byte behind', lab.owned(new Uint8Array([...lab.certificate('a'), 0]))],
    ['a sequence of one byte of length', lab.owned(Uint8Array.of(0x30, 3, 1, 1, 0xff))],
    ['four bytes', lab.owned(Uint8Array.of(0x30, 0x82, 0, 0))],
    ['nothing', new Uint8Array()],
  ])('of db is not %s', (_, data) => {
    expect(read([...CONFIG, SEPARATOR, lab.authority(GUID.security, 'db', data)])).toBe(
      'event 6 of PCR 7 is called an entry of db, and is none',
    )
  })

  it('of shim is told by its content, whatever that is', () => {
    const events = [
      ...GOOD,
      shim('Shim', lab.certificate('vendor')),
      shim('vendor_db', text('list')),
      shim('MokListRT', lab.owned(lab.certificate('mok'))),
    ]
    expect(told(events).authorities.slice(1)).toEqual([
      { sha256: hex(lab.sha256(lab.certificate('vendor'))), variable: 'Shim', pre_separator: false },
      { sha256: hex(lab.sha256(text('list'))), variable: 'vendor_db', pre_separator: false },
      { sha256: hex(lab.sha256(lab.certificate('mok'))), variable: 'MokListRT', pre_separator: false },
    ])
  })

  it('is not what shim measures of its state', () => {
    const level = shim('SbatLevel', text('sbat,1,2024010900\n'))
    const events = [
      ...GOOD,
      level,
      shim('MokListTrusted', Uint8Array.of(1)),
      shim('MokDBState', Uint8Array.of(1)),
      shim('MokSBState', Uint8Array.of(0)),
    ]
    expect(told(events)).toMatchObject({ sbat_level: 'sbat,1,2024010900\n', authorities: [{ variable: 'db' }] })
    expect(told([...events, level]).sbat_level).toBeNull()
  })

  it('of old shims has a byte that is not hashed, and zeros that are', () => {
    const vendor = { sha256: hex(lab.sha256(lab.certificate('vendor'))), variable: 'Shim', pre_separator: false }
    for (const zeros of [[], [0, 0, 0, 0, 0]]) expect(told([...GOOD, padded(zeros)]).authorities.at(-1)).toEqual(vendor)
    for (const zeros of [
      [0, 0, 0, 0, 0, 0],
      [0, 0, 1],
    ])
      expect(read([...GOOD, padded(zeros)])).toBe('event 7 of PCR 7 is no variable')
    const { of } = padded([0])
    expect(read([...GOOD, { pcr: 7, type: TYPE.authority, data: of ?? new Uint8Array() }])).toBe('event 7 of PCR 7 is no variable')
  })
})
