import { vectorBytes, vectorExists, vectorJson, vectorPath } from './vectors.ts'

/** An evidence item as requests have it (design section 3); binary is standard base64. */
export type EvidenceItem =
  | { readonly type: 'snp'; readonly report: string; readonly certificates: readonly string[]; readonly cert_table?: string }
  | { readonly type: 'tsm'; readonly provider: 'sev_guest'; readonly outblob: string; readonly auxblob?: string }

/** A collateral bundle (design section 6). */
export type BundleJson = {
  readonly format: 'assay-collateral/1'
  readonly items: readonly (
    | { readonly kind: 'amd-certificate'; readonly der: string }
    | { readonly kind: 'amd-crl'; readonly product: 'Milan' | 'Genoa' | 'Turin'; readonly endpoint: 'vcek' | 'vlek'; readonly der: string }
  )[]
}

/** One vector: what to send, under which roots and when, and what must come of it. */
export type SnpCase = {
  readonly name: string
  readonly set: 'real' | 'synthetic'
  /** `certificate`: there is no report; in-process only. */
  readonly class: 'structure-or-crypto' | 'crl' | 'policy' | 'certificate'
  /** RFC 3339. */
  readonly at: string
  readonly evidence: EvidenceItem
  /** CA certificates that lie beside the evidence: an attester may send them, and they must not count. */
  readonly authorities: readonly string[]
  /** The endorsement certificate, base64 DER. */
  readonly vek: string | undefined
  readonly bundle: BundleJson | undefined
  /** Absolute path of the DER root for --insecure-test-root; undefined: AMD's pinned roots. */
  readonly testRoot: string | undefined
  /** Shorthand of the manifest (specification snp.md section 18); null: none. */
  readonly policy: Readonly<Record<string, unknown>> | null
  /** What the case says was seen before of its list: needs a rollback mark, which the command line has not. */
  readonly highestSeen: number | undefined
  readonly expected: { readonly verdict: 'pass' | 'fail'; readonly codes: readonly string[] }
  readonly defaultPolicyFindings: readonly string[]
  /** Fields of the report as the manifest has them. */
  readonly decoded: Readonly<Record<string, unknown>> | undefined
}

type Expected = { verdict: 'pass' | 'fail'; codes: string[]; any_of?: string[]; default_policy_findings?: string[] }
type Entry = {
  case: string
  kind?: string
  class?: SnpCase['class']
  pki?: string
  vek_file?: string
  files?: Record<string, { role: string }>
  verification_time: string
  expected: Expected
  'expected_at_2026-11-23'?: Expected
  policy?: Record<string, unknown> | null
  decoded?: Record<string, unknown>
}

const base64 = (path: string): string => Buffer.from(vectorBytes(path)).toString('base64')

const optional = (path: string): string[] => (vectorExists(path) ? [base64(path)] : [])

const expectedOf = ({ verdict, codes, any_of = [] }: Expected): SnpCase['expected'] => ({
  verdict,
  codes: [...new Set([...codes, ...any_of])],
})

/** All cases of vectors/snp, real and synthetic, in the order of their manifests. Times at which the verdict differs are cases of their own. */
export const snpCases = (): readonly SnpCase[] => [...realCases(), ...synthesisedCases()]

const entries = (manifest: string): readonly Entry[] => (vectorJson(manifest) as { cases: Entry[] }).cases

const realCases = (): readonly SnpCase[] => entries('snp/MANIFEST.json').flatMap((entry) => [real(entry), ...later(entry), ...asTsm(entry)])

function real(entry: Entry): SnpCase {
  const files = Object.entries(entry.files ?? {})
  const [vek] = files.flatMap(([file, { role }]) => (role === 'vek-certificate' ? optional(`snp/${entry.case}/${file}`) : []))
  const authorities = ['ask.der', 'asvk.der', 'ark.der'].flatMap((file) => optional(`snp/${entry.case}/${file}`))
  const [report = ''] = optional(`snp/${entry.case}/report.bin`)
  return {
    name: entry.case,
    set: 'real',
    class: entry.kind === 'certificate-only' ? 'certificate' : 'structure-or-crypto',
    at: entry.verification_time,
    evidence: { type: 'snp', report, certificates: vek === undefined ? [] : [vek] },
    authorities,
    vek,
    bundle: undefined,
    testRoot: undefined,
    policy: null,
    highestSeen: undefined,
    expected: expectedOf(entry.expected),
    defaultPolicyFindings: entry.expected.default_policy_findings ?? [],
    decoded: entry.decoded,
  }
}

/** The same evidence at the date for which the manifest states another verdict. */
function later(entry: Entry): readonly SnpCase[] {
  const expected = entry['expected_at_2026-11-23']
  if (expected === undefined) return []
  return [{ ...real(entry), name: `${entry.case} at 2026-11-23`, at: '2026-11-23T00:00:00+00:00', expected: expectedOf(expected) }]
}

const standard = (urlSafe: string): string => Buffer.from(urlSafe, 'base64url').toString('base64')

/** Cases that also hold what configfs-tsm gave (URL-safe base64), and the table by itself. */
function asTsm(entry: Entry): readonly SnpCase[] {
  const path = `snp/${entry.case}/tsm-report.json`
  if (!vectorExists(path)) return []
  const { outblob, auxblob } = vectorJson(path) as { outblob: string; auxblob: string }
  const base = real(entry)
  const report = standard(outblob)
  return [
    {
      ...base,
      name: `${entry.case} as tsm`,
      evidence: { type: 'tsm', provider: 'sev_guest', outblob: report, auxblob: standard(auxblob) },
    },
    {
      ...base,
      name: `${entry.case} with its table`,
      evidence: { type: 'snp', report, certificates: [], cert_table: base64(`snp/${entry.case}/cert_table.bin`) },
    },
  ]
}

const synthesisedCases = (): readonly SnpCase[] => entries('snp/_synthetic/MANIFEST.json').map(synthesised)

function synthesised(entry: Entry): SnpCase {
  const folder = `snp/_synthetic/${entry.case}`
  const pki = `snp/_synthetic/${entry.pki}`
  const vek = base64(`${folder}/${entry.vek_file}`)
  const seen = entry.policy?.['highestSeen']
  return {
    name: entry.case,
    set: 'synthetic',
    class: entry.class ?? 'structure-or-crypto',
    at: entry.verification_time,
    evidence: { type: 'snp', report: base64(`${folder}/report.bin`), certificates: [vek] },
    authorities: optional(`${folder}/intermediate.der`),
    vek,
    bundle: bundleOf(pki, entry),
    testRoot: vectorPath(`${pki}/ark.der`),
    policy: entry.policy ?? null,
    highestSeen: typeof seen === 'number' ? seen : undefined,
    expected: expectedOf(entry.expected),
    defaultPolicyFindings: [],
    decoded: entry.decoded,
  }
}

/** The intermediates of the case's PKI, and its list, labelled for the endpoint of the case's own key. */
function bundleOf(pki: string, entry: Entry): BundleJson {
  const authorities = ['ask.der', 'asvk.der'].map((file) => ({ kind: 'amd-certificate', der: base64(`${pki}/${file}`) }) as const)
  const list = entry.policy?.['crl']
  if (typeof list !== 'string') return { format: 'assay-collateral/1', items: authorities }
  const endpoint = entry.vek_file === 'vlek.der' ? 'vlek' : 'vcek'
  const crl = { kind: 'amd-crl', product: productOf(pki), endpoint, der: base64(`snp/_synthetic/${list}`) } as const
  return { format: 'assay-collateral/1', items: [...authorities, crl] }
}

const productOf = (pki: string): 'Milan' | 'Genoa' | 'Turin' =>
  (['Milan', 'Genoa', 'Turin'] as const).find((product) => pki.endsWith(product)) ?? 'Milan'

/** What a failing case must show: at least one of its codes among those reported (specification snp.md section 18). */
export const agrees = ({ expected }: SnpCase, verdict: 'pass' | 'fail', reported: readonly string[]): boolean =>
  verdict === expected.verdict && (verdict === 'pass' || reported.some((code) => expected.codes.includes(code)))
