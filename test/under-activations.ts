import { decodeJwt } from 'jose'
import { expect } from 'vitest'
import { contentDigest } from '../src/appraisal/canonical.ts'
import { readPolicy } from '../src/appraisal/read-policy.ts'
import type { AttestAnswer } from '../src/simulator/attest.ts'
import { accepted, refusal } from './answers.ts'
import { policyText, type Operated } from './operated-process.ts'

const RIGHT = { name: 'eu', version: 1, sha256: contentDigest(readPolicy(policyText('right'), 'eu').document) }

/** Expects of answers under two versions, of which only the first accepts, that each is the verdict of one of them and nothing else. */
export function expectUnmixed(answers: readonly AttestAnswer[]): void {
  const tokens = answers.filter(({ status }) => status === 201).map((answer) => accepted(answer))
  expect(tokens.map(({ appraisal }) => appraisal.policy)).toEqual(tokens.map(() => RIGHT))
  expect(tokens.filter(({ token }) => !JSON.stringify(decodeJwt(token)).includes(RIGHT.sha256))).toEqual([])
  const refusals = answers.filter(({ status }) => status !== 201)
  expect(refusals.map((answer) => refusal(answer))).toEqual(refusals.map(() => [403, 'snp-measurement-mismatch']))
}

/** Writes the two versions, and activates the first. */
export async function writeTwo({ policies }: Operated): Promise<void> {
  expect((await policies.put(policyText('right'))).status).toBe(201)
  await policies.next(policyText('wrong'))
  expect((await policies.decide({ version: 1 })).status).toBe(201)
}

/** Activates the two versions by turns, 50 times, while hosts attest at each replica, and each replica decides. */
export async function activateUnderLoad(replicas: readonly Operated[]): Promise<readonly AttestAnswer[]> {
  const done = new AbortController()
  const attester = async ({ ask }: Operated): Promise<readonly AttestAnswer[]> => {
    const answers: AttestAnswer[] = []
    while (!done.signal.aborted) answers.push(await ask())
    return answers
  }
  const attesters = [...replicas, ...replicas].map((replica) => attester(replica))
  const turns = Array.from({ length: 50 }, () => replicas).flat()
  for (const [i, { policies }] of turns.slice(0, 50).entries()) expect((await policies.decide({ version: 2 - (i % 2) })).status).toBe(201)
  done.abort()
  return (await Promise.all(attesters)).flat()
}
