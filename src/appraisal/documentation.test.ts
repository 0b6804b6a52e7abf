import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { TPM_PROBLEMS } from '../verifiers/tpm/problems.ts'
import { SNP_PROBLEMS } from '../verifiers/snp/problems.ts'
import { TDX_PROBLEMS } from '../verifiers/tdx/problems.ts'
import { ADVISORIES } from './advisories.ts'
import { readPolicy } from './read-policy.ts'
import { policyDocument } from './policy.ts'
import { strict } from './strict.ts'

const page = ['policies', 'tpm-policies'].map((name) => readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8')).join('\n')
const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '')

/** Members of a group, within whatever makes it optional. */
function membersOf(group: unknown): readonly string[] {
  if (group instanceof z.ZodObject) return Object.keys(group.shape)
  return group instanceof z.ZodPrefault || group instanceof z.ZodOptional ? membersOf(group.unwrap()) : []
}

/** A member as it stands in a row: alone, below its group, or as a group. */
const spellings = (member: string) => [`\`${member}\``, `.${member}\``, `\`${member}.`]

describe('docs/policies.md', () => {
  it('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(4))

  it.each(examples)('has an example that is a policy: %s', (text) => {
    expect(readPolicy(text, 'docs/policies.md').reference.name).toMatch(/./)
  })

  it('names every member of the document', () => {
    const { snp, tdx, sgx, tpm } = policyDocument.shape
    const tpmGroups = [tpm, ...Object.values(tpm.unwrap().shape)].flatMap((group) => membersOf(group))
    const groups = [snp, tdx, sgx, tdx.unwrap().shape.td_attributes, tdx.unwrap().shape.xfam, tdx.unwrap().shape.event_log]
    const shapes = [...groups, tdx.unwrap().shape.platform].flatMap((group) => Object.keys(group.unwrap().shape))
    const nested = [strict.document.snp.guest_policy, strict.document.snp.platform_info].flatMap((group) => Object.keys(group))
    const members = [...Object.keys(policyDocument.shape), ...shapes, ...nested, ...tpmGroups]
    expect(members.length).toBeGreaterThan(120)
    expect(members.filter((member) => !spellings(member).some((text) => page.includes(text)))).toEqual([])
  })

  it('names the strict word of every member of tdx and sgx, every status, and every code that a policy about them can give', () => {
    const { document } = strict
    const defaults = [document.tdx, document.tdx.td_attributes, document.tdx.event_log, document.tdx.platform, document.sgx]
    const words = defaults.flatMap((group) => Object.values(group).filter((value) => typeof value === 'string'))
    const listed = policyDocument.shape.tdx.unwrap().shape.accepted_tcb_statuses.unwrap().element.options
    expect([...words, ...listed].filter((word) => !page.includes(`\`${word}\``) && !page.includes(`[${word}]`))).toEqual([])
    const codes = Object.entries(TDX_PROBLEMS).flatMap(([code, { kind }]) => (kind === 'not-acceptable' ? [code] : []))
    expect(codes.length).toBeGreaterThan(30)
    expect(codes.filter((code) => !page.includes(code))).toEqual([])
  })

  it('names the members of advisories and crl with their codes', () => {
    expect(Object.keys(strict.document.snp.advisories).toSorted()).toEqual(ADVISORIES.map(({ id }) => id).toSorted())
    expect(ADVISORIES.filter(({ id, code }) => !page.includes(`advisories.${id}`) || !page.includes(code))).toEqual([])
    expect(Object.keys(strict.document.snp.crl).filter((member) => !page.includes(`crl.${member}`))).toEqual([])
  })

  it('has a row in the table of problems for every code that it spells out', () => {
    const named = [...page.matchAll(/`((?:snp|tdx|sgx|tpm)-[a-z0-9-]+[a-z0-9])`/g)].map((match) => match[1] ?? '')
    expect(named.length).toBeGreaterThan(70)
    expect(named.filter((code) => !Object.hasOwn({ ...SNP_PROBLEMS, ...TDX_PROBLEMS, ...TPM_PROBLEMS }, code))).toEqual([])
  })
})
