import { AttestationError, isProblemCode, problemOf, statusOf, type ProblemCode } from '../verifiers/problems.ts'
import { negotiate } from './accept.ts'
import { json, type Answer, type Handler } from './call.ts'

const CACHE = { 'cache-control': 'public, max-age=3600', vary: 'Accept' }

/** What each kind means to whoever meets it (design section 3, Codes and statuses). */
export const KIND_MEANINGS = {
  caller: 'The request was refused before any evidence was judged.',
  malformed: 'The evidence or the request could not be read.',
  'not-genuine': 'The evidence is not proven to come from genuine hardware, for this request.',
  'not-acceptable': 'The evidence is genuine, but the policy refuses it.',
  undecided: 'No verdict was possible. Nothing was spent that the same request needs; it may be sent again.',
  internal: 'The service failed. The request id leads the operator to the cause.',
} as const

/** GET /problems/{code}: where the `type` of every problem leads, as a page or as JSON. */
export const problemPage: Handler = (call, services) => {
  const code = call.param('code')
  if (!isProblemCode(code)) throw new AttestationError('route-unknown', 'there is no such problem')
  if (negotiate(call.header('accept'), ['text/html', 'application/json']) === 'text/html') return page(code)
  const { title, kind, remedy } = problemOf(code)
  return json(
    200,
    { type: `${services.issuer}/problems/${code}`, code, title, kind, status: statusOf(code), meaning: KIND_MEANINGS[kind], remedy },
    CACHE,
  )
}

/** No script, no image, no frame: the page is text. */
const PAGE_HEADERS = {
  ...CACHE,
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
}

function page(code: ProblemCode): Answer {
  const { title, kind, remedy } = problemOf(code)
  const body = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>${escape(code)}</title></head>
<body>
<h1>${escape(title)}</h1>
<p>${escape(KIND_MEANINGS[kind])}</p>
<h2>What to do</h2>
<p>${escape(remedy)}</p>
<dl><dt>Code</dt><dd><code>${escape(code)}</code></dd><dt>Kind</dt><dd>${escape(kind)}</dd><dt>HTTP status</dt><dd>${statusOf(code)}</dd></dl>
</body>
</html>
`
  return { status: 200, headers: PAGE_HEADERS, body }
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escape = (text: string): string => text.replaceAll(/[&<>"]/g, (mark) => ENTITIES[mark] ?? mark)
