/**
 * Whole appraisals at a fixed rate. Evidence binds a challenge and is good once, so requests are made beforehand, one JSON body a line:
 *   npm run -s bench -- --write-requests requests.ndjson     (prints the command that starts the service which accepts them)
 *   k6 run -e ASSAY_URL=… -e REQUESTS=requests.ndjson load-tests/appraisals.ts
 */
import exec from 'k6/execution'
import http from 'k6/http'
import { check } from 'k6'
import { SharedArray } from 'k6/data'
import type { Options } from 'k6/options'

const rate = Number(__ENV['RATE'] ?? 200)
const requests = new SharedArray('requests', () =>
  open(__ENV['REQUESTS'] ?? 'requests.ndjson')
    .trimEnd()
    .split('\n'),
)

export const options: Options = {
  scenarios: {
    appraisals: {
      executor: 'constant-arrival-rate',
      rate,
      duration: `${Math.max(1, Math.floor(requests.length / rate))}s`,
      preAllocatedVUs: 64,
    },
  },
  thresholds: { checks: ['rate==1'], http_req_duration: ['p(99)<50'] },
}

const url = __ENV['ASSAY_URL'] ?? 'http://127.0.0.1:8080'
const params = { headers: { 'Content-Type': 'application/json', Accept: 'application/jwt' } }

export default function appraisals(): void {
  const body = requests[exec.scenario.iterationInTest]
  if (body === undefined) return
  check(http.post(`${url}/v1/appraisals`, body, params), { 'a token': (r) => r.status === 201 })
}
