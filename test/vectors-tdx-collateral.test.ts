import { X509Certificate } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { pinnedAnchors } from '../src/verifiers/anchors.ts'
import { parseJsonMembers } from '../src/verifiers/json.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { checkDates, datesRule } from '../src/verifiers/tdx/certificate-dates.ts'
import { QE_IDENTITY } from '../src/verifiers/tdx/qe-identity.ts'
import { proveList } from '../src/verifiers/tdx/revocation-list.ts'
import { openSignedJson, type SignedKind } from '../src/verifiers/tdx/signed-json.ts'
import { proveIssuerChain, proveSigningChain } from '../src/verifiers/tdx/signing-chain.ts'
import { TCB_INFO } from '../src/verifiers/tdx/tcb-info.ts'
import { flipped } from './snp-lab.ts'
import { vectorBytes, vectorPath, vectorsPresent } from './vectors.ts'

// Signed objects of Intel's that no case uses: each stands under the pinned root, by the chain that was valid when it was issued.

const FOLDER = 'tdx/collateral-only'
const present = vectorsPresent()
const names = present ? readdirSync(vectorPath(FOLDER)) : []
const named = (pattern: RegExp): readonly string[] => names.filter((name) => pattern.test(name))
const bytesOf = (name: string): Uint8Array => vectorBytes(`${FOLDER}/${name}`)
const SCOPE = { anchors: pinnedAnchors, mode: 'production' } as const

const pemOf = (name: string): string =>
  name.endsWith('.pem') ? Buffer.from(bytesOf(name)).toString() : new X509Certificate(bytesOf(name)).toString()
/** Certificates in PEM, one behind the other. */
const chainOf = (...files: readonly string[]): Uint8Array =>
  new Uint8Array(Buffer.from(files.map((name) => `${pemOf(name).trim()}\n`).join('')))
const ROOT = 'intel_sgx_root_ca.der'

const NUMBERS: SignedKind = {
  member: 'tcbEvaluationDataNumbers',
  malformed: 'tdx-tcb-info-malformed',
  unsigned: 'tdx-tcb-info-invalid-signature',
}

/** The date in a file's name: `…-20250603T054809Z.json`. */
function issuedAt(name: string): Date {
  const [, y, m, d, time = ''] = /(\d{4})(\d\d)(\d\d)T(\d{6})Z/.exec(name) ?? []
  return new Date(`${y}-${m}-${d}T${time.replace(/(\d\d)(\d\d)(\d\d)/, '$1:$2:$3')}Z`)
}

/** The TCB signing chains, of which the date tells the right one. */
function chainAt(date: Date) {
  const chains = ['tcb_signing_2018_2025.pem', 'tcb_signing_2025_2032.pem'].map((signer) => proveSigningChain(chainOf(signer, ROOT), SCOPE))
  const valid = chains.filter(({ windows }) => checkDates(datesRule(''), windows, date).every(({ outcome }) => outcome === 'pass'))
  const [chain] = valid
  if (chain === undefined) throw new Error(`no chain for ${date.toISOString()}`)
  return chain
}

const codeOf = (read: () => unknown): string => {
  try {
    read()
    return 'read'
  } catch (error) {
    if (!(error instanceof AttestationError)) throw error
    return error.code
  }
}

describe.skipIf(!present)('Intel’s documents beside the cases', () => {
  it('are all there', () => {
    expect([named(/^tcbInfo/).length, named(/^enclaveIdentity/).length, named(/^tcbEvaluation/).length, named(/^crl/).length]).toEqual([
      9, 15, 7, 4,
    ])
  })

  it.each(named(/^tcbInfo/))('%s', (name) => {
    const info = TCB_INFO.read(openSignedJson(bytesOf(name), TCB_INFO, chainAt(issuedAt(name)).key))
    const [, tee, fmspc] = /^tcbInfo-(TDX|SGX)-([0-9a-f]{12})-/.exec(name) ?? []
    expect([info.tee.toUpperCase(), Buffer.from(info.fmspc).toString('hex'), info.issueDate]).toEqual([tee, fmspc, issuedAt(name)])
    const dates = info.levels.map(({ tcbDate }) => tcbDate)
    expect(dates[0]).toBe(dates.toSorted().at(-1))
  })

  it.each(named(/^enclaveIdentity/))('%s', (name) => {
    const identity = QE_IDENTITY.read(openSignedJson(bytesOf(name), QE_IDENTITY, chainAt(issuedAt(name)).key))
    expect([identity.id, identity.issueDate]).toEqual([/^enclaveIdentity-(\w+)-na/.exec(name)?.[1], issuedAt(name)])
  })

  it.each(named(/^tcbEvaluation/))('%s', (name) => {
    expect(codeOf(() => openSignedJson(bytesOf(name), NUMBERS, chainAt(issuedAt(name)).key))).toBe('read')
    expect(codeOf(() => openSignedJson(bytesOf(name), TCB_INFO, chainAt(issuedAt(name)).key))).toBe('tdx-tcb-info-malformed')
  })

  it.each(named(/^(tcbInfo|enclaveIdentity).*json$/))('%s is not signed with a bit of its value changed', (name) => {
    const kind = name.startsWith('tcbInfo') ? TCB_INFO : QE_IDENTITY
    const body = bytesOf(name)
    const { source = '' } = parseJsonMembers(body, { what: name, code: kind.malformed }).get(kind.member) ?? {}
    const at = Buffer.from(body).indexOf(source) + source.indexOf('"tcbStatus":"') + '"tcbStatus":"'.length
    expect(codeOf(() => openSignedJson(flipped(body, at), kind, chainAt(issuedAt(name)).key))).toBe(kind.unsigned)
  })

  it.each(named(/^crl/))('%s', (name) => {
    const ca = name.includes('Platform') ? 'platform' : 'processor'
    const authorities = named(new RegExp(`^pck_ca_${ca}`))
    const lists = authorities.map((authority) =>
      proveList(bytesOf(name), 'pck', proveIssuerChain(chainOf(authority, ROOT), ca, SCOPE).first),
    )
    expect(lists.map(({ thisUpdate, size }) => [thisUpdate, size])).toEqual(
      authorities.map(() => [issuedAt(name), ca === 'platform' ? 44 : 0]),
    )
    expect(
      codeOf(() => proveList(flipped(bytesOf(name), 40), 'pck', proveIssuerChain(chainOf(authorities[0] ?? '', ROOT), ca, SCOPE).first)),
    ).not.toBe('read')
  })

  it.each(['tcb_signing_2018_2025.pem', 'tcb_signing_2025_2032.pem', ...named(/^pck_ca/)])(
    '%s is a signer in no chain but its own',
    (name) => {
      const kinds = [
        codeOf(() => proveSigningChain(chainOf(name, ROOT), SCOPE)),
        codeOf(() => proveIssuerChain(chainOf(name, ROOT), 'platform', SCOPE)),
        codeOf(() => proveIssuerChain(chainOf(name, ROOT), 'processor', SCOPE)),
      ]
      const own = name.startsWith('tcb') ? 0 : name.includes('platform') ? 1 : 2
      expect(kinds.map((code) => code === 'read')).toEqual([0, 1, 2].map((kind) => kind === own))
    },
  )

  it('has a TCB signing certificate for each time, with one key', () => {
    const [before, after] = [chainAt(new Date('2024-01-01T00:00:00Z')), chainAt(new Date('2026-01-01T00:00:00Z'))]
    expect(before.first.der).not.toEqual(after.first.der)
    expect([before.first.spki, before.first.serial]).toEqual([after.first.spki, after.first.serial])
  })
})
