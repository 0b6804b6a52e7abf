import { describe, expect, it } from 'vitest'
import { genuineQuote, soundTdx, type Options } from '../../test/intel-judged.ts'
import { genuine, goodTcb, soundClaims, vlekClaims } from '../../test/snp-claims.ts'
import type { SnpClaims } from '../verifiers/snp/claims.ts'
import type { TdxClaims } from '../verifiers/tdx/claims.ts'
import type { Finding } from '../verifiers/verifier.ts'
import { appraise } from './appraise.ts'
import { LIFTS } from './floor.ts'
import type { ActivePolicy } from './policy-set.ts'
import { builtInPolicies, presetPolicy } from './presets.ts'
import { PRESET_NAMES, type PresetName } from './presets/names.ts'
import { PRESET_TEXTS } from './presets/texts.ts'
import { readPolicy } from './read-policy.ts'
import { strict } from './strict.ts'
import { weakeningsOf } from './weakenings.ts'

const judged = (policy: ActivePolicy, finding: Finding, keyBinding: 'bound' | 'unbound' = 'bound') =>
  appraise({
    id: 'x',
    mode: 'test',
    freshness: 'challenge',
    policy,
    items: [{ type: finding.claims?.snp === undefined ? 'tdx' : 'snp', finding, fresh: true }],
    keyBinding,
    evidenceDigest: '00',
    collateral: { digest: '00', oldest_fetch: null, earliest_expiry: null },
  }).code ?? 'accepted'

const extended = (preset: PresetName, members: Options): ActivePolicy =>
  readPolicy(JSON.stringify({ name: 'edge', extends: preset, ...members }), 'edge.json')

const snpUnder = (preset: PresetName, claims: SnpClaims) =>
  judged(extended(preset, { snp: { measurements: [soundClaims.measurement] } }), genuine(claims))
const tdxUnder = (preset: PresetName, claims: TdxClaims) =>
  judged(extended(preset, { tdx: { mr_td: [soundTdx.mr_td] } }), genuineQuote({ tdx: claims }))

const provisional = { ...vlekClaims, current_tcb: { ...goodTcb, snp: 25 }, current_version: '1.55.30' }
const old = { ...goodTcb, snp: 20 }
const azureTd: TdxClaims = {
  ...soundTdx,
  td_attributes: { ...soundTdx.td_attributes, value: '0000000000000000', sept_ve_disable: false },
  rtmr0: '00'.repeat(48),
  rtmr1: '00'.repeat(48),
  rtmr2: '00'.repeat(48),
  rtmr3: '00'.repeat(48),
}
const debugged = { ...soundClaims, policy: { ...soundClaims.policy, debug_allowed: true } }

const names = (policies: readonly ActivePolicy[]) => policies.map(({ reference }) => reference.name)

describe('presets', () => {
  it.each(PRESET_NAMES)('%s is a document that says its own name, with comments', (name) => {
    expect(presetPolicy(name).reference.name).toBe(name)
    expect(PRESET_TEXTS[name]).toMatch(/^# /)
  })

  it.each(PRESET_NAMES.filter((name) => name !== 'lab'))('%s requires a key and revocation lists, and weakens nothing by name', (name) => {
    const { document } = presetPolicy(name)
    expect(document).toMatchObject({ key_binding: 'required', issue_on: 'affirming', relying_party_nonce: 'refuse' })
    expect(document.snp.crl).toMatchObject({ mode: 'require', grace_seconds: 0 })
    expect([document.tdx.collateral_grace_seconds, document.sgx.collateral_grace_seconds]).toEqual([0, 0])
    expect(weakeningsOf(document)).toEqual([])
  })

  it.each(PRESET_NAMES.filter((name) => name !== 'lab'))('%s accepts nothing until it is extended', (name) => {
    expect(judged(presetPolicy(name), genuine(soundClaims))).not.toBe('accepted')
    expect(judged(presetPolicy(name), genuine(vlekClaims))).not.toBe('accepted')
    expect(judged(presetPolicy(name), genuineQuote({ tdx: soundTdx }))).not.toBe('accepted')
  })

  it('are there without a document, lab only where debug guests are lifted', () => {
    expect(names(builtInPolicies([]))).toEqual(PRESET_NAMES.filter((name) => name !== 'lab'))
    expect(names(builtInPolicies(['collateral-grace', 'unchecked-revocation']))).not.toContain('lab')
    expect(names(builtInPolicies(LIFTS))).toEqual(PRESET_NAMES)
  })

  it('strict has one digest, as a preset and as the policy that is built in', () => {
    expect(presetPolicy('strict').reference).toEqual(strict.reference)
  })
})

describe('what each preset accepts and refuses, extended by a measurement', () => {
  it.each([
    ['strict', soundClaims, 'accepted'],
    ['strict', provisional, 'snp-firmware-provisional'],
    ['gcp-snp', soundClaims, 'accepted'],
    ['gcp-snp', vlekClaims, 'snp-signing-key-forbidden'],
    ['gcp-snp', { ...soundClaims, vmpl: 1 }, 'snp-vmpl-mismatch'],
    ['gcp-snp', debugged, 'snp-policy-debug-allowed'],
    ['aws-snp', vlekClaims, 'accepted'],
    ['aws-snp', provisional, 'accepted'],
    ['aws-snp', soundClaims, 'snp-signing-key-forbidden'],
    [
      'aws-snp',
      { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=cc-us-east-2.amazonaws.com.evil.example' } },
      'snp-csp-id-untrusted',
    ],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=cc-evil.example/.amazonaws.com' } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=cc-.amazonaws.com' } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: null } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=xx-us-east-2.amazonaws.com' } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=cc-us-east-2.amazonaws.org' } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, vek: { ...vlekClaims.vek, csp_id: 'CN=cc-us-EAST-2.amazonaws.com' } }, 'snp-csp-id-untrusted'],
    ['aws-snp', { ...vlekClaims, reported_tcb: old, committed_tcb: old }, 'snp-tcb-committed-below-minimum'],
    ['azure-cvm', soundClaims, 'composition-unsupported'],
    ['coconut-svsm', { ...soundClaims, vmpl: 2 }, 'composition-unsupported'],
    ['gcp-tdx', soundClaims, 'evidence-type-not-accepted'],
  ] as const)('%s: %o', (preset, claims, code) => expect(snpUnder(preset, claims)).toBe(code))

  it.each([
    ['strict', soundTdx, 'accepted'],
    ['gcp-tdx', soundTdx, 'accepted'],
    ['gcp-tdx', azureTd, 'tdx-sept-ve-disable-required'],
    ['gcp-tdx', { ...soundTdx, tcb: { ...soundTdx.tcb, status: 'SWHardeningNeeded' } }, 'tdx-tcb-status-not-accepted'],
    ['azure-tdx', azureTd, 'composition-unsupported'],
    ['aws-snp', soundTdx, 'evidence-type-not-accepted'],
  ] as const)('%s: %o', (preset, claims, code) => expect(tdxUnder(preset, claims)).toBe(code))

  it('azure presets ask of the paravisor what else they say, once their composition is lifted out', () => {
    const open = { compositions: ['single'] }
    const cvm = extended('azure-cvm', { ...open, snp: { measurements: [soundClaims.measurement] } })
    const pinned = cvm.document.snp.trusted_id_key_digests?.[0] ?? ''
    expect(judged(cvm, genuine({ ...soundClaims, id_key_digest: pinned }))).toBe('accepted')
    expect(judged(cvm, genuine({ ...soundClaims, id_key_digest: 'ab'.repeat(48) }))).toBe('snp-id-key-untrusted')
    expect(judged(cvm, genuine(soundClaims))).toBe('snp-id-block-required')
    expect(judged(cvm, genuine({ ...soundClaims, id_key_digest: pinned, vmpl: 2 }))).toBe('snp-vmpl-mismatch')
    const svsm = extended('coconut-svsm', { ...open, snp: { measurements: [soundClaims.measurement] } })
    expect(judged(svsm, genuine({ ...soundClaims, vmpl: 2 }))).toBe('accepted')
    expect(judged(svsm, genuine({ ...soundClaims, vmpl: 3 }))).toBe('snp-vmpl-mismatch')
    expect(judged(extended('azure-tdx', { ...open, tdx: { mr_td: [soundTdx.mr_td] } }), genuineQuote({ tdx: azureTd }))).toBe('accepted')
  })

  it('lab accepts what it weakens by name, and still nothing that is not genuine', () => {
    const lab = presetPolicy('lab')
    expect(judged(lab, genuine(debugged), 'unbound')).toBe('accepted')
    expect(judged(lab, genuineQuote({ tdx: soundTdx }), 'unbound')).toBe('accepted')
    expect(weakeningsOf(lab.document)).toEqual(
      expect.arrayContaining(['issue_on: warning', 'key_binding: DANGEROUSLY_OPTIONAL', 'snp.guest_policy.debug: DANGEROUSLY_ALLOW']),
    )
    const forged: Finding = {
      checks: [{ id: 'SNP-50', title: 'x', outcome: 'fail', code: 'snp-signature-invalid' }],
      validUntil: new Date(0),
    }
    expect(judged(lab, forged, 'unbound')).toBe('snp-signature-invalid')
  })
})

describe('extends', () => {
  it('lays the preset under: members stand, mappings merge, lists are replaced', () => {
    const { document, reference } = extended('aws-snp', {
      snp: { csp_ids: ['CN=cc-eu-west-1.amazonaws.com'], min_tcb: { committed: { milan: { microcode: 200 } } } },
    })
    expect(reference.name).toBe('edge')
    expect(document).toMatchObject({ extends: 'aws-snp', evidence: ['snp'] })
    expect(document.snp).toMatchObject({ csp_ids: ['CN=cc-eu-west-1.amazonaws.com'], allowed_signing_keys: ['vlek'] })
    expect(document.snp.min_tcb).toEqual({ committed: { milan: { snp: 24, microcode: 200 }, genoa: { snp: 23 }, turin: 'any' } })
  })

  it('is the same policy as one with every member written out', () => {
    const policy = extended('gcp-tdx', { tdx: { mr_td: [soundTdx.mr_td] } })
    expect(readPolicy(JSON.stringify(policy.document), 'written')).toEqual(policy)
  })

  it.each([
    ['{"extends": "strict"}', 'name'],
    ['{"name": "a", "extends": "aws"}', 'extends'],
    ['{"name": "a", "extends": "constructor"}', 'extends'],
    ['{"name": "a", "extends": "__proto__"}', 'extends'],
    ['{"name": "a", "extends": ["strict", "lab"]}', 'extends'],
    ['{"name": "a", "extends": "gcp-snp", "snp": {"__proto__": {"vmpl": [3]}}}', 'snp.__proto__'],
    ['{"name": "a", "extends": "gcp-snp", "snp": "strict"}', 'snp'],
    ['{"name": "a", "extends": "gcp-snp", "bogus": 1}', 'bogus'],
    ['["extends"]', '(document)'],
  ])('refuses %s', (text, path) => {
    expect(() => readPolicy(text, 'a.json')).toThrow(new RegExp(`\\s${path.replaceAll(/[.()]/g, '\\$&')}: `))
  })
})
