import type { AppraisalPolicy } from '../appraisal/policy.ts'
import { namesBoot } from '../appraisal/tpm/pcrs.ts'
import * as kind from './policy-kinds.ts'
import { INTEL_OPTIONS } from './policy-options-intel.ts'
import { SNP_OPTIONS } from './policy-options-snp.ts'
import { TPM_OPTIONS } from './policy-options-tpm.ts'

/** One option of a policy: where it stands in the document, what it is about in words, and how its values compare. */
export type Option = readonly [path: string, noun: string, how: kind.Kind]

const GENERAL: readonly Option[] = [
  ['name', 'name', kind.remark],
  ['extends', 'members that are left out come from', kind.remark],
  ['evidence', 'kinds of evidence', kind.accepted('anything')],
  ['compositions', 'what evidence is made of', kind.accepted('anything')],
  [
    'key_binding',
    'a key of the caller in the evidence',
    kind.ranked({ required: ['asks', ''], DANGEROUSLY_OPTIONAL: ['weakens', 'not needed, so that whoever holds a token can use it'] }),
  ],
  ['relying_party_nonce', 'nonces of the relying party, which this service does not protect against replay', kind.permission],
  ['issue_on', 'evidence that a rule only warns of', kind.ranked({ affirming: ['asks', 'refused'], warning: ['weakens', 'gets a token'] })],
  ['explain', 'what callers without a role are told of a refusal', kind.remark],
  ['token.lifetime_seconds', 'life of a token', kind.seconds],
  ['token.subject', 'subject of tokens', kind.remark],
  ['token.groups', 'groups in tokens', kind.remark],
  ['warn', 'rules that only warn', kind.listed('tolerated')],
]

/** Every option there is. A test holds this to the schema of the document. */
export const OPTIONS: readonly Option[] = [...GENERAL, ...SNP_OPTIONS, ...INTEL_OPTIONS, ...TPM_OPTIONS]

/** The value of an option in a document with its defaults; undefined where it is left out. */
export function valueAt(document: AppraisalPolicy, path: string): unknown {
  let value: unknown = document
  for (const member of path.split('.')) value = typeof value === 'object' && value !== null ? Reflect.get(value, member) : undefined
  return value
}

/** The technologies that a policy speaks of. */
export const TECHNOLOGIES = ['snp', 'tdx', 'sgx', 'tpm'] as const

type Technology = (typeof TECHNOLOGIES)[number]

/** The technology that an option is about. */
export const technologyOf = (path: string): Technology | undefined => TECHNOLOGIES.find((technology) => path.startsWith(`${technology}.`))

/** Why a policy refuses all evidence of a technology, whatever else it says: that kind is not accepted, or nothing names what may run. */
export function closedBecause(document: AppraisalPolicy, technology: Technology): string | undefined {
  if (!document.evidence.includes(technology)) return `evidence does not list ${technology}`
  if (!document.compositions.includes('single')) return `compositions lists none that is supported: ${document.compositions.join(', ')}`
  return NAMELESS[technology](document)
}

const NAMELESS: Readonly<Record<Technology, (document: AppraisalPolicy) => string | undefined>> = {
  snp: ({ snp }) => (snp.measurements === undefined ? 'snp.measurements lists nothing' : undefined),
  tdx: ({ tdx }) => (tdx.mr_td === undefined ? 'tdx.mr_td lists nothing' : undefined),
  sgx: ({ sgx }) =>
    sgx.mr_enclave !== undefined || (sgx.mr_signer !== undefined && sgx.isv_prod_id !== undefined)
      ? undefined
      : 'neither sgx.mr_enclave, nor sgx.mr_signer with sgx.isv_prod_id, lists anything',
  tpm: ({ tpm }) =>
    tpm.unnamed_boot === 'DANGEROUSLY_ALLOW' || namesBoot(tpm).length > 0 ? undefined : 'nothing under tpm says what may boot',
}
