import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SNP_PROBLEMS } from '../verifiers/snp/problems.ts'
import { ADVISORIES } from './advisories.ts'
import { readPolicy } from './read-policy.ts'
import { policyDocument } from './policy.ts'
import { strict } from './strict.ts'

const page = readFileSync(new URL('../../docs/policies.md', import.meta.url), 'utf8')
const examples = [...page.matchAll(/```yaml\n([^]*?)```/g)].map((match) => match[1] ?? '')

describe('docs/policies.md', () => {
  it('has examples', () => expect(examples.length).toBeGreaterThanOrEqual(4))

  it.each(examples)('has an example that is a policy: %s', (text) => {
    expect(readPolicy(text, 'docs/policies.md').reference.name).toMatch(/./)
  })

  it('names every member of the document', () => {
    const snp = policyDocument.shape.snp.unwrap().shape
    const nested = [strict.document.snp.guest_policy, strict.document.snp.platform_info].flatMap((group) => Object.keys(group))
    const members = [...Object.keys(policyDocument.shape), ...Object.keys(snp), ...nested]
    expect(members.length).toBeGreaterThan(50)
    expect(members.filter((member) => !page.includes(member))).toEqual([])
  })

  it('names the members of advisories and crl with their codes', () => {
    expect(Object.keys(strict.document.snp.advisories).toSorted()).toEqual(ADVISORIES.map(({ id }) => id).toSorted())
    expect(ADVISORIES.filter(({ id, code }) => !page.includes(`advisories.${id}`) || !page.includes(code))).toEqual([])
    expect(Object.keys(strict.document.snp.crl).filter((member) => !page.includes(`crl.${member}`))).toEqual([])
  })

  it('has a row in the table of problems for every code that it spells out', () => {
    const named = [...page.matchAll(/`(snp-[a-z0-9-]+[a-z0-9])`/g)].map((match) => match[1] ?? '')
    expect(named.length).toBeGreaterThan(30)
    expect(named.filter((code) => !Object.hasOwn(SNP_PROBLEMS, code))).toEqual([])
  })
})
