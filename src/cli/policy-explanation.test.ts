import { describe, expect, it } from 'vitest'
import { readPolicy } from '../appraisal/read-policy.ts'
import { strict } from '../appraisal/strict.ts'
import { explain, explanationText } from './policy-explanation.ts'

const a48 = 'a1'.repeat(48)
const explained = (document: object) => explain(readPolicy(JSON.stringify({ name: 'p', ...document }), 'test'))
const said = (document: object, path: string) =>
  explained(document)
    .flatMap(({ sentences }) => sentences)
    .find((one) => one.path === path)

const refused = (document: object) => explained(document).find(({ about }) => about === 'sgx')?.refusesAll

describe('a policy in words', () => {
  it('says that the built-in policy refuses everything, and why', () => {
    expect(explain(strict).map(({ about, refusesAll }) => [about, refusesAll])).toEqual([
      ['general', undefined],
      ['snp', 'snp.measurements lists nothing'],
      ['tdx', 'tdx.mr_td lists nothing'],
      ['sgx', 'neither sgx.mr_enclave, nor sgx.mr_signer with sgx.isv_prod_id, lists anything'],
      ['tpm', 'nothing under tpm says what may boot'],
    ])
  })

  it('says nothing more of a kind of evidence that the policy does not take, and everything of one that only lacks a list', () => {
    const document = { evidence: ['tdx', 'sgx'], snp: { measurements: [a48] } }
    const [, snp, tdx] = explained(document)
    expect(snp).toEqual({ about: 'snp', refusesAll: 'evidence does not list snp', sentences: [] })
    expect(tdx?.refusesAll).toBe('tdx.mr_td lists nothing')
    expect(tdx?.sentences.map(({ path }) => path)).toContain('tdx.min_tcb_date')
  })

  it('refuses everything under a composition that is not supported, whatever is listed', () => {
    const [, snp] = explained({ compositions: ['azure-hcl'], snp: { measurements: [a48] } })
    expect(snp?.refusesAll).toBe('compositions lists none that is supported: azure-hcl')
  })

  it('needs a product with the signer of an enclave', () => {
    const signer = { mr_signer: ['a1'.repeat(32)] }
    expect(refused({ sgx: signer })).toBeDefined()
    expect(refused({ sgx: { ...signer, isv_prod_id: [1] } })).toBeUndefined()
  })

  it.each([
    [{ snp: { measurements: [a48] } }, 'snp.measurements', 'asks', `launch measurement: ${a48}`],
    [{ snp: { measurements: 'DANGEROUSLY_ACCEPT_ANY' } }, 'snp.measurements', 'weakens', 'launch measurement: anything at all'],
    [{ tdx: { mr_td: [{ set: 'nodes' }] } }, 'tdx.mr_td', 'asks', 'MRTD: the set nodes'],
    [{}, 'key_binding', 'asks', 'a key of the caller in the evidence'],
    [{}, 'warn', 'asks', 'no rules that only warn'],
    [{ warn: ['snp.vmpl'] }, 'warn', 'weakens', 'rules that only warn: snp.vmpl'],
    [{ extends: 'gcp-snp' }, 'extends', 'accepts', 'members that are left out come from: gcp-snp'],
    [{ token: { groups: ['a', 'b'] } }, 'token.groups', 'accepts', 'groups in tokens: a, b'],
    [{ issue_on: 'warning' }, 'issue_on', 'weakens', 'evidence that a rule only warns of: gets a token'],
    [{ relying_party_nonce: 'allow' }, 'relying_party_nonce', 'accepts', 'nonces of the relying party, which'],
    [{}, 'token.lifetime_seconds', 'accepts', 'life of a token: up to 300 s'],
  ])('%j: %s', (...[document, path, part, text]) => {
    expect(said(document, path)).toMatchObject({ part, text: expect.stringContaining(text) })
  })

  it.each([
    [{}, 'guest_policy.debug', 'asks', 'no guests that their host can debug'],
    [{ guest_policy: { debug: 'DANGEROUSLY_ALLOW' } }, 'guest_policy.debug', 'weakens', 'guests that their host can debug'],
    [{}, 'guest_policy.smt', 'accepts', 'guests that may run beside SMT'],
    [{}, 'platform_info.alias_check', 'asks', 'the firmware has checked memory for aliases (BadRAM)'],
    [{}, 'platform_info.tsme', 'leaves', 'TSME is enabled on the host'],
    [{ platform_info: { smt: 'forbid' } }, 'platform_info.smt', 'asks', 'not: SMT is enabled on the host'],
    [{}, 'min_guest_svn', 'leaves', 'security version of the guest (GUEST_SVN)'],
    [{ min_guest_svn: 4 }, 'min_guest_svn', 'asks', 'security version of the guest (GUEST_SVN): at least 4'],
    [{}, 'permit_provisional_firmware', 'asks', 'the running firmware is the committed one'],
    [{ permit_provisional_firmware: true }, 'permit_provisional_firmware', 'leaves', 'the running firmware is the committed one'],
    [{}, 'advisories.amd-milan-vcek-seed-extraction', 'leaves', 'extraction of VCEK seeds'],
    [{ crl: { mode: 'DANGEROUSLY_OFF' } }, 'crl.mode', 'weakens', 'revocation lists of AMD: not asked for'],
    [{}, 'crl.grace_seconds', 'asks', 'no use of revocation lists after their nextUpdate'],
    [{ denied_hwids: ['a1'.repeat(64)] }, 'denied_hwids', 'asks', `chip: not ${'a1'.repeat(64)}`],
    [{ min_launch_mit_vector: '0x1' }, 'min_launch_mit_vector', 'asks', 'mitigations at launch: 0x0000000000000001 must be set'],
    [
      { min_tcb: { committed: { milan: { snp: 24 }, genoa: 'any', cpuid: { '19_11': { microcode: 9 } } } } },
      'min_tcb.committed',
      'asks',
      'committed TCB: at least milan snp 24; genoa any; 19_11 microcode 9; products without a minimum are refused',
    ],
  ])('snp %j: %s', (...[snp, path, part, text]) => {
    const sentence = said({ snp: { measurements: [a48], ...snp } }, `snp.${path}`)
    expect(sentence).toMatchObject({ part, text: expect.stringContaining(text) })
  })

  it.each([
    [{}, 'mr_service_td', 'asks', 'service TD that may be bound: none is listed, so none is accepted'],
    [{}, 'accepted_tcb_statuses', 'asks', 'TCB status: UpToDate'],
    [{}, 'event_log.replayed_rtmrs', 'asks', 'registers that a log leads to, where one is sent: 0, 1, 2, 3'],
    [{}, 'xfam.allowed', 'asks', 'XFAM: 0x000000000006dbe7 and no other bits may be set'],
    [{}, 'initdata', 'asks', 'initdata document: if it is sent, it is bound by MRCONFIGID'],
    [{}, 'platform.min_sgx_type', 'leaves', 'protection of the host’s memory'],
  ])('tdx %j: %s', (...[tdx, path, part, text]) => {
    expect(said({ tdx: { mr_td: [a48], ...tdx } }, `tdx.${path}`)).toMatchObject({ part, text: expect.stringContaining(text) })
  })

  it('is text whose weaknesses come first', () => {
    const document = {
      name: 'p',
      key_binding: 'DANGEROUSLY_OPTIONAL',
      snp: { measurements: [a48], guest_policy: { debug: 'DANGEROUSLY_ALLOW' } },
    }
    const policy = readPolicy(JSON.stringify(document), 'test')
    const text = explanationText(policy)
    expect(text).toContain(`p, sha256 ${policy.reference.sha256}`)
    expect(text).toMatch(/^All evidence\n {2}weakened on purpose\n {4}key_binding +a key of the caller in the evidence: not needed/m)
    expect(text).toMatch(/^SEV-SNP reports\n {2}weakened on purpose\n {4}snp\.guest_policy\.debug +guests that their host can debug$/m)
    expect(text).toMatch(/^ {2}not asked\n {4}snp\.guest_policy\.min_abi +ABI version/m)
    expect(text).toMatch(/^TDX quotes\n {2}all are refused: tdx\.mr_td lists nothing\n {2}asked for\n/m)
  })
})
