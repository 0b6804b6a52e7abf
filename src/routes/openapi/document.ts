import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi'
import { stringify } from 'yaml'
import { PROBLEM_CODES, statusOf, type ProblemCode } from '../../verifiers/problems.ts'
import type { Access } from '../call.ts'
import { ROUTES } from '../table.ts'
import { problem } from './answers.ts'
import { problemExample, problemPageExample } from './examples.ts'
import { OPERATIONS, type Description } from './operations.ts'

const VERSION = '0.1.0'

const INFO = {
  openapi: '3.1.0',
  info: {
    title: 'Assay',
    version: VERSION,
    summary: 'Remote attestation verifier',
    description:
      'Evidence of confidential machines in, short-lived signed tokens out. Members are snake_case; errors are RFC 9457 problems.',
    license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
  },
  servers: [{ url: '/' }],
  tags: [
    { name: 'Attestation', description: 'What attesters call' },
    { name: 'Relying parties', description: 'How tokens are checked' },
    { name: 'Policies', description: 'What operators write, try and bring into force' },
    { name: 'Operation', description: 'What operators watch' },
    { name: 'Documentation', description: 'What explains the rest' },
  ],
}

/** The contract as YAML, from the table of routes, the schemas that requests are checked with, and the table of problems. */
export function contractText(): string {
  const app = new OpenAPIHono()
  const registry = app.openAPIRegistry
  registry.registerComponent('securitySchemes', 'operator', {
    type: 'http',
    scheme: 'bearer',
    description: 'A token that the operator issued',
  })
  registry.registerComponent('headers', 'RequestId', {
    description: 'Names this request in logs and audit lines',
    schema: { type: 'string', format: 'uuid' },
  })
  registry.registerComponent('headers', 'RetryAfter', { description: 'Seconds to wait', schema: { type: 'integer', minimum: 1 } })
  for (const code of documentedProblems()) registry.registerComponent('examples', code, { value: problemExample(code) })
  for (const { method, path, access } of ROUTES) registry.registerPath(operation({ method, path, access }, describe(`${method} ${path}`)))
  return stringify(app.getOpenAPI31Document(INFO), { lineWidth: 0, aliasDuplicateObjects: false })
}

function describe(name: string): Description {
  const described = new Map<string, Description>(Object.entries(OPERATIONS)).get(name)
  if (described === undefined) throw new Error(`${name} has no description`)
  return described
}

/** Problems that some operation answers with; the others are on the problems' own pages. */
function documentedProblems(): readonly ProblemCode[] {
  const all: readonly Description[] = Object.values(OPERATIONS)
  const used = new Set(all.flatMap(({ problems }) => problems))
  return PROBLEM_CODES.filter((code) => used.has(code))
}

type Place = { readonly method: 'GET' | 'POST' | 'PUT'; readonly path: `/${string}`; readonly access: Access }

function operation({ method, path, access }: Place, described: Description) {
  const { operationId, tag, summary, description, answer, problems } = described
  return createRoute({
    method: METHODS[method],
    path,
    operationId,
    tags: [tag],
    summary,
    description,
    security: SECURITY[access].map((scheme) => ({ ...scheme })),
    request: { ...parameters(path, described), ...requestBody(described) },
    responses: { [answer.status]: success(answer), ...unchanged(answer), ...refusals(problems) },
  })
}

const METHODS = { GET: 'get', POST: 'post', PUT: 'put' } as const

/** An empty requirement means that none is needed. */
const SECURITY: Readonly<Record<Access, readonly Record<string, string[]>[]>> = {
  public: [],
  anyone: [{}, { operator: [] }],
  viewer: [{ operator: [] }],
  'policy-author': [{ operator: [] }],
  'policy-activator': [{ operator: [] }],
  enroller: [{ operator: [] }],
  admin: [{ operator: [] }],
}

/** What may stand in a path. */
const PARAMETERS: Readonly<Record<string, z.ZodString>> = {
  code: z.string().meta({ description: 'A problem code', example: 'challenge-spent' }),
  name: z.string().meta({ description: 'Letters, digits, dot, dash and underscore, at most 64', example: 'strict-eu' }),
  version: z.string().meta({ description: 'A version, from 1', example: '2' }),
}

function parameters(path: string, { conditional }: Description) {
  const named = Object.entries(PARAMETERS).filter(([name]) => path.includes(`{${name}}`))
  return {
    ...(named.length === 0 ? {} : { params: z.object(Object.fromEntries(named)) }),
    ...(conditional === undefined ? {} : { headers: CONDITIONS }),
  }
}

const CONDITIONS = z.object({
  'If-Match': z.string().optional().meta({ description: 'The ETag of the latest version; one of the two must be sent' }),
  'If-None-Match': z.literal('*').optional().meta({ description: 'There must be no version yet' }),
})

function requestBody({ request }: Description) {
  if (request === undefined) return {}
  const { schema, required, examples, yaml, form } = request
  if (form !== undefined) return { body: { required: true, content: { 'multipart/form-data': { schema } } } }
  const text = yaml === undefined ? {} : { 'application/yaml': { schema: z.string(), example: yaml } }
  return {
    body: { required: required === 'required', content: { 'application/json': { schema, examples: { ...examples } }, ...text } },
  }
}

const REQUEST_ID = { 'X-Request-Id': { $ref: '#/components/headers/RequestId' } }

/** The same answer with another status, where nothing had to be made. */
const unchanged = ({ unchanged: description, ...answer }: Description['answer']) =>
  description === undefined ? {} : { 200: success({ ...answer, description }) }

function success({ description, content, headers }: Description['answer']) {
  const media = Object.entries(content).map(([type, { schema, example }]) => {
    const shown = example === undefined ? pageExamples(type) : { example }
    return [type, { schema: schema === 'text' ? z.string() : schema, ...shown }] as const
  })
  const more = Object.entries(headers ?? {}).map(([name, text]) => [name, { description: text, schema: { type: 'string' } }] as const)
  return { description, headers: { ...REQUEST_ID, ...Object.fromEntries(more) }, content: Object.fromEntries(media) }
}

/** The pages of all problems are the examples of the operation that answers with them. */
const pageExamples = (type: string) =>
  type === 'application/json'
    ? { examples: Object.fromEntries(PROBLEM_CODES.map((code) => [code, { value: problemPageExample(code) }])) }
    : {}

function refusals(problems: readonly ProblemCode[]) {
  const codes = PROBLEM_CODES.filter((code) => problems.includes(code))
  const byStatus = Object.entries(Object.groupBy(codes, (code) => statusOf(code)))
  return Object.fromEntries(byStatus.map(([status, group = []]) => [status, refusal(status, group)]))
}

const WAITS: readonly string[] = ['429', '503']

function refusal(status: string, codes: readonly ProblemCode[]) {
  const examples = Object.fromEntries(codes.map((code) => [code, { $ref: `#/components/examples/${code}` }]))
  const retry = WAITS.includes(status) ? { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } : {}
  return {
    description: `Refused: ${codes.length === 1 ? codes[0] : 'one of the codes in the examples'}`,
    headers: { ...REQUEST_ID, ...retry },
    content: { 'application/problem+json': { schema: problem, examples } },
  }
}
