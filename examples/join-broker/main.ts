import { readFileSync } from 'node:fs'
import { createServer } from 'node:https'
import { serve } from '@hono/node-server'
import { z } from 'zod'
import { createJoinBroker } from './broker.ts'

const digest = z.string().regex(/^[0-9a-f]{64}$/)
const LOOPBACK: readonly string[] = ['127.0.0.1', '::1', 'localhost']

const settings = z
  .strictObject({
    host: z.string().default('127.0.0.1'),
    port: z.int().min(0).max(65_535),
    /** By which nodes reach the broker. */
    public_url: z.url(),
    /** PEM files. Needed unless the listener is loopback, where a proxy ends TLS. */
    tls: z.strictObject({ cert: z.string(), key: z.string() }).optional(),
    /** Of the service. */
    issuer: z.url(),
    /** Where its keys are, unless discovery tells. */
    jwks_uri: z.url().optional(),
    audience: z.string().min(1),
    /** Digests of policies that you have reviewed; `assay policy lint` prints them. */
    policies: z.array(digest).min(1),
    /** Beyond what the policies demand: launch measurements of SNP guests, and then of no others. */
    measurements: z
      .array(z.string().regex(/^[0-9a-f]{96}$/))
      .min(1)
      .optional(),
    join_secret_file: z.string(),
    demo: z.literal('DANGEROUSLY_ACCEPT_DEMO').optional(),
  })
  .refine(
    ({ host, tls }) => tls !== undefined || LOOPBACK.includes(host),
    'secrets leave this machine over TLS only: tls, or a loopback host',
  )

/** Starts a broker as a JSON file says: `node examples/join-broker/main.ts broker.json`. */
function start(path: string): void {
  const given = settings.parse(JSON.parse(readFileSync(path, 'utf8')))
  const { host: hostname, port, tls, issuer, jwks_uri: jwksUri, audience, policies, measurements, demo } = given
  const broker = createJoinBroker({
    issuer,
    audience,
    publicUrl: given.public_url,
    ...(jwksUri === undefined ? {} : { jwksUri }),
    accept: {
      policies: policies.map((sha256) => ({ sha256 })),
      ...(measurements === undefined ? {} : { hardware: ['snp'], snp: { measurement: measurements } }),
      ...(demo === undefined ? {} : { demo }),
    },
    secretFor: () => readFileSync(given.join_secret_file, 'utf8').trim(),
    log: (line) => void process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`),
  })
  const secured = tls === undefined ? {} : { createServer, serverOptions: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }
  serve({ fetch: broker.fetch, hostname, port, ...secured }, (info) => {
    process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), event: 'listening', port: info.port })}\n`)
  })
}

const [path] = process.argv.slice(2)
if (path === undefined) throw new Error('the path of a JSON file is needed')
start(path)
