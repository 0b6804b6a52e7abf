import { anchorsWith } from '../../test/tpm-trust-lab.ts'
import { describe, expect, it } from 'vitest'
import { readPolicy } from '../appraisal/read-policy.ts'
import { policySetOf } from '../appraisal/policy-set.ts'
import { strict } from '../appraisal/strict.ts'
import { amdLists, INTEL_STANDING } from '../collateral/address.ts'
import { loadConfig } from '../config.ts'
import { anchorsOf, pinnedAnchors } from '../verifiers/anchors.ts'
import type { Anchors, CollateralAddress } from '../verifiers/verifier.ts'
import { AttestationError } from '../verifiers/problems.ts'
import { knownPolicies, standingOf } from './standing.ts'

const POLICY = {
  name: 'lenient',
  snp: { crl: { mode: 'prefer', grace_seconds: 3600 } },
  tdx: { collateral_grace_seconds: 7200 },
  sgx: { collateral_grace_seconds: 60 },
}
const policies = policySetOf([strict, readPolicy(JSON.stringify(POLICY), 'test')])

type Given = {
  readonly policy?: string
  readonly anchors?: Anchors
  readonly documents?: readonly CollateralAddress[]
  readonly environment?: Readonly<Record<string, string>>
  readonly more?: string
}

function standing({ policy = 'strict', anchors = pinnedAnchors, documents = [], environment = {}, more = '' }: Given = {}) {
  const file = `audiences: {default: {policies: [${policy}]}}\n${more}`
  const { config } = loadConfig({ environment: { ASSAY_CONFIG: 'f', ...environment }, readText: () => file })
  return standingOf({
    config,
    policies,
    grounds: { anchors, documents: new Map(documents.map((address) => [address, new Uint8Array()])) },
  })
}

const addresses = (given: Given) => standing(given).map(({ address }) => address)
const first = (vendor: 'amd' | 'intel', given: Given = {}) => standing(given).find(({ address }) => address.startsWith(`${vendor}/`))

describe('the documents that are kept fresh', () => {
  it('are those that every host of both vendors needs', () => {
    expect(addresses({})).toEqual([...amdLists(), ...INTEL_STANDING])
    expect(amdLists()).toHaveLength(6)
    expect(new Set(INTEL_STANDING).size).toBe(4)
  })

  it('are required of AMD where a policy in use requires them, and good for its grace', () => {
    expect(first('amd')).toMatchObject({ needed: 'required', graceSeconds: 0 })
    expect(first('amd', { policy: 'lenient' })).toMatchObject({ needed: 'wanted', graceSeconds: 3600 })
    expect(first('amd', { policy: 'strict, lenient' })).toMatchObject({ needed: 'required', graceSeconds: 3600 })
  })

  it('are required of Intel only where the operator says so, and good for the longest grace', () => {
    expect(first('intel')).toMatchObject({ needed: 'wanted', graceSeconds: 0 })
    expect(first('intel', { environment: { ASSAY_INTEL_COLLATERAL: 'required' } })).toMatchObject({ needed: 'required' })
    expect(first('intel', { environment: { ASSAY_INTEL_COLLATERAL: 'off' } })).toMatchObject({ needed: 'wanted' })
    expect(first('intel', { policy: 'lenient' })).toMatchObject({ graceSeconds: 7200 })
  })

  it('are none of a vendor whose root is not trusted here', () => {
    expect(addresses({ anchors: anchorsOf([], pinnedAnchors.intel) })).toEqual(INTEL_STANDING)
    const milan = pinnedAnchors.amd.filter(({ product }) => product === 'Milan')
    expect(addresses({ anchors: anchorsOf(milan) })).toEqual(amdLists(['Milan']))
  })

  it('are none that were given', () => {
    const documents = [...amdLists(['Milan']), 'amd/crl/Genoa/vcek', 'intel/root-ca-crl'] as const
    expect(addresses({ documents })).toEqual([...amdLists(['Genoa', 'Turin']), ...INTEL_STANDING.filter((a) => a !== 'intel/root-ca-crl')])
  })
})

const fault = () => {
  throw new Error('a fault')
}

describe('lists of TPM authorities', () => {
  const address = `tpm/crl/${'ab'.repeat(32)}` as const
  const tpm = { crlSources: [{ issuerSpkiSha256: 'ab'.repeat(32), address }] }
  const lists = (given: Given) => standing({ anchors: anchorsWith(tpm), ...given }).filter((one) => one.address.startsWith('tpm/'))
  it('are kept where they are configured, and required where enrolment requires them', () => {
    expect(lists({})).toEqual([{ address, needed: 'wanted', graceSeconds: 0 }])
    const strictly = 'tpm: {enrolment: {crl_grace_seconds: 60}}'
    expect(lists({ more: strictly })).toEqual([{ address, needed: 'required', graceSeconds: 60 }])
    expect(lists({ more: 'tpm: {enrolment: {crl: prefer}}' })).toEqual([{ address, needed: 'wanted', graceSeconds: 0 }])
    expect(lists({ documents: [address] })).toEqual([])
    expect(lists({ anchors: anchorsWith({}) })).toEqual([])
  })
})

describe('the policies that decide what is needed', () => {
  const { config } = loadConfig({ environment: { ASSAY_CONFIG: 'f' }, readText: () => 'audiences: {default: {policies: [strict]}}' })
  const lenient = readPolicy(JSON.stringify({ ...POLICY, name: 'strict' }), 'test')
  const needed = (known: ReturnType<typeof knownPolicies>) =>
    standingOf({ config, policies: known(), grounds: { anchors: pinnedAnchors, documents: new Map() } })[0]?.needed

  it('are those in force at each time', () => {
    const current = { policies: [lenient] }
    const known = knownPolicies({ snapshot: () => ({ ...policySetOf(current.policies), shadow: () => undefined }) }, config)
    expect(needed(known)).toBe('wanted')
    current.policies = [strict]
    expect(needed(known)).toBe('required')
  })

  it('are those that were known last while nobody can confirm them, and those that are built in before', () => {
    const store = { answers: false }
    const snapshot = () => {
      if (!store.answers) throw new AttestationError('not-ready', 'no answer')
      return { ...policySetOf([lenient]), shadow: () => undefined }
    }
    const known = knownPolicies({ snapshot }, config)
    expect(needed(known)).toBe('required')
    store.answers = true
    expect(needed(known)).toBe('wanted')
    store.answers = false
    expect(needed(known)).toBe('wanted')
  })

  it('are not guessed when something else is wrong', () => {
    expect(() => knownPolicies({ snapshot: fault }, config)()).toThrow('a fault')
  })
})
