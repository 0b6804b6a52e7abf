/**
 * How the service holds when many nodes ask for challenges and many send what is not evidence.
 *   k6 run -e ASSAY_URL=http://127.0.0.1:8080 load-tests/challenges.ts
 */
import http from 'k6/http'
import { check } from 'k6'
import type { Options } from 'k6/options'

const duration = __ENV['DURATION'] ?? '30s'

export const options: Options = {
  scenarios: {
    challenges: { executor: 'constant-arrival-rate', exec: 'challenges', rate: 200, duration, preAllocatedVUs: 50 },
    garbage: { executor: 'constant-arrival-rate', exec: 'garbage', rate: 100, duration, preAllocatedVUs: 50 },
  },
  thresholds: { checks: ['rate==1'], 'http_req_duration{scenario:challenges}': ['p(99)<50'] },
}

const url = __ENV['ASSAY_URL'] ?? 'http://127.0.0.1:8080'
const json = { headers: { 'Content-Type': 'application/json' } }

export function challenges(): void {
  const answer = http.post(`${url}/v1/challenges`)
  check(answer, { 'a challenge or a clear "too many"': (r) => r.status === 201 || r.status === 429 })
}

export function garbage(): void {
  const answer = http.post(`${url}/v1/appraisals`, '{"evidence":[{"type":"snp","report":"AA=="}]}', json)
  check(answer, { 'a refusal, never a failure': (r) => r.status >= 400 && r.status < 500 })
}
