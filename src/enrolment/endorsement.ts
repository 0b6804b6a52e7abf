import { failed, hasOutcome, passed } from '../verifiers/checks.ts'
import { ekKeyOf, type EkKey } from '../verifiers/tpm/credential/ek-key.ts'
import { readEkPublic, type EkPublic } from '../verifiers/tpm/credential/ek-public.ts'
import { verifyEk, type EkInput, type EndorsementKey } from '../verifiers/tpm/trust/ek-certificate.ts'
import type { Check } from '../verifiers/verifier.ts'

/** The endorsement key that a host shows: by certificate, by public area, or by both. */
export type ShownEk = {
  readonly certificate?: Uint8Array | undefined
  readonly chain: readonly Uint8Array[]
  /** TPMT_PUBLIC, bare or as TPM2B_PUBLIC. */
  readonly public?: Uint8Array | undefined
}

/** An endorsement key that is what it says. */
export type ProvenEk = {
  readonly key: EkKey
  /** SHA-256 of the DER of every authority that vouches for it; empty where the operator's list alone does. */
  readonly authorities: readonly string[]
  readonly validUntil: Date | undefined
}

/** `ek` is there only when no check failed. */
export type EkVerdict = { readonly checks: readonly Check[]; readonly ek?: ProvenEk }

const TEMPLATE = {
  id: 'TPM-27',
  title: 'The endorsement key follows a known template',
  code: 'tpm-ek-public-mismatch',
  expected: 'a public area as a template of the EK profile makes it of the certificate’s key',
} as const

const ENROLLED = {
  id: 'TPM-28',
  title: 'The endorsement key has a certificate, or is listed itself',
  code: 'tpm-ek-untrusted',
  expected: 'a certificate, or an EK that `tpm.enrolment.ek` lists by its digest',
} as const

/** TPM-25 to TPM-28 and TPM-30: is this the key of a genuine TPM? Without a certificate only the operator's list can say so. */
export function proveEk(shown: ShownEk, input: Omit<EkInput, 'certificate' | 'chain'>): EkVerdict {
  const { certificate, chain } = shown
  if (certificate === undefined) return proveListed(shown, input)
  const { checks, ek } = verifyEk({ ...input, certificate, chain })
  if (ek === undefined) return { checks }
  const template = checkTemplate(ek, shown)
  if (template.key === undefined || hasOutcome([template.check], 'fail')) return { checks: [...checks, template.check] }
  return {
    checks: [...checks, template.check],
    ek: { key: template.key, authorities: ek.authoritiesSha256, validUntil: ek.validUntil },
  }
}

/** TPM-27. Without a public area the key itself tells the template, as far as a credential depends on it. */
function checkTemplate(certified: EndorsementKey, shown: ShownEk): { readonly check: Check; readonly key: EkKey | undefined } {
  const key = ekKeyOf(certified.key)
  if (key === undefined) return { check: failed(TEMPLATE, `no template is for such a key (${certified.spkiSha256})`), key }
  if (shown.public === undefined) return { check: passed(TEMPLATE, `${key.kind}, no public area shown`), key }
  const area = readEkPublic(shown.public)
  if (area === undefined) return { check: failed(TEMPLATE, 'a public area that follows no template'), key }
  const check = area.ek.key.equals(certified.key) ? passed(TEMPLATE, described(area)) : failed(TEMPLATE, `another key, ${described(area)}`)
  return { check, key }
}

const described = ({ template, ek }: EkPublic): string => `${template.name}, ${ek.spkiSha256}`

function proveListed(shown: ShownEk, { anchors }: Pick<EkInput, 'anchors'>): EkVerdict {
  const area = shown.public === undefined ? undefined : readEkPublic(shown.public)
  if (area === undefined) return { checks: [failed(TEMPLATE, 'neither a certificate nor a public area that follows a template')] }
  const template = passed(TEMPLATE, described(area))
  const { spkiSha256 } = area.ek
  if (!anchors.tpm.listed.spkiSha256.has(spkiSha256)) return { checks: [template, failed(ENROLLED, `${spkiSha256}, no certificate`)] }
  const ek = { key: area.ek, authorities: [], validUntil: undefined }
  return { checks: [template, passed(ENROLLED, `${spkiSha256}, listed`)], ek }
}
