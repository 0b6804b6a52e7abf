import type { ProblemCode } from '../../verifiers/problems.ts'
import type { ImaClaims, ImaFault, ImaFaultKind } from '../../verifiers/tpm/ima/claims.ts'
import type { Check } from '../../verifiers/verifier.ts'
import { judge, notAsked, type Question } from '../check.ts'
import type { TpmPolicy } from '../policy.ts'
import type { TpmRule } from './rule.ts'

type ImaPolicy = TpmPolicy['ima']

const question = (id: string, title: string, [code, member]: readonly [ProblemCode, string]): Question => ({
  id,
  title,
  code,
  origin: 'policy',
  rule: `tpm.ima.${member}`,
})

const SENT = question('TPM-61', 'The IMA list was sent', ['tpm-ima-missing', 'mode'])
const TAIL = question('TPM-63', 'PCR 10 attests the whole list', ['tpm-ima-replay-mismatch', 'unattested_tail'])

type Row = {
  readonly kind: ImaFaultKind
  readonly question: Question
  readonly expected: string
  readonly isAsked: (policy: ImaPolicy) => boolean
}

const always = () => true

/** TPM-64 to 68: one question for each kind of fault. */
const ROWS: readonly Row[] = [
  {
    kind: 'boot-aggregate',
    question: question('TPM-64', 'The list begins with the boot that was quoted', ['tpm-ima-boot-aggregate-mismatch', 'boot_aggregate']),
    expected: 'boot_aggregate first, the digest of PCRs 0 to 7 or 0 to 9',
    isAsked: ({ boot_aggregate: mode }) => mode !== 'off',
  },
  {
    kind: 'violation',
    question: question('TPM-65', 'No file was measured while it was written', ['tpm-ima-violation', 'violations']),
    expected: 'none',
    isAsked: ({ violations }) => violations === 'refuse',
  },
  {
    kind: 'not-allowed',
    question: question('TPM-66', 'Every file is one that the policy lists', ['tpm-ima-not-allowed', 'digests']),
    expected: 'listed paths and names only',
    isAsked: always,
  },
  {
    kind: 'hash-mismatch',
    question: question('TPM-66', 'Every listed file has a listed content', ['tpm-ima-hash-mismatch', 'digests']),
    expected: 'a digest that is listed for the path',
    isAsked: always,
  },
  {
    kind: 'signature-malformed',
    question: question('TPM-67', 'Signatures of files follow their format', ['tpm-ima-signature-malformed', 'verification_keys']),
    expected: 'a signature that can be read, or a listed digest',
    isAsked: always,
  },
  {
    kind: 'signature-invalid',
    question: question('TPM-67', 'Signatures of files verify', ['tpm-ima-signature-invalid', 'verification_keys']),
    expected: 'a signature by the key that it names, or a listed digest',
    isAsked: always,
  },
  {
    kind: 'keyring',
    question: question('TPM-68', 'Every key that was loaded is one that the policy lists', ['tpm-ima-keyring-not-allowed', 'keyrings']),
    expected: 'listed keys only',
    isAsked: always,
  },
]

/** TPM-61 and 64 to 68, and what the policy says of entries that nothing attests. */
export const ima: TpmRule = ({ claims: { ima: claims }, policy: { ima: policy } }) => {
  if (policy.mode === 'off') return [notAsked(SENT, claims === null ? 'none' : 'sent')]
  if (claims === null) return [judge(SENT, false, { actual: 'none', expected: 'ima_log' })]
  return [
    judge(SENT, true, { actual: `${claims.attested_entries} attested entries`, expected: 'ima_log' }),
    tailCheck(claims, policy),
    ...ROWS.map((row) => checkOf(row, claims, policy)),
  ]
}

function tailCheck({ unattested_entries: count }: ImaClaims, { unattested_tail: tail }: ImaPolicy): Check {
  const actual = `${count} entries behind it`
  return tail === 'allow' ? notAsked(TAIL, actual) : judge(TAIL, count === 0, { actual, expected: 'none' })
}

function checkOf({ kind, question: asks, expected, isAsked }: Row, { faults }: ImaClaims, policy: ImaPolicy): Check {
  const fault = faults[kind]
  const actual = fault === undefined ? 'none' : `${fault.count}: ${fault.first.map((one) => faultText(one)).join(', ')}`
  return isAsked(policy) ? judge(asks, fault === undefined, { actual, expected }) : notAsked(asks, actual)
}

/** Hosts choose paths: what a terminal would obey is not repeated. */
const faultText = ({ entry, path, digest }: ImaFault): string =>
  `${path.replaceAll(/[^\x20-\x7e\u00a1-\u024f]/gu, '?')} (entry ${entry}, ${digest})`
