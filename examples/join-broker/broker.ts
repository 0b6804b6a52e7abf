import { Hono } from 'hono'
// Outside this repository: '@assay/relying-party' and '@assay/relying-party/hono'.
import { attestationFor, attested, type GuardOptions } from '../../clients/relying-party/src/hono.ts'
import type { Attestation, AttestationRefused } from '../../clients/relying-party/src/index.ts'

/** Who may join, and what they get. */
export type BrokerOptions = Omit<GuardOptions, 'confirm' | 'publicUrl' | 'onRefusal'> & {
  /** The address by which nodes reach the broker. */
  readonly publicUrl: string
  /** What a node needs to join, asked for each time: `kubeadm token create` for this node, say, or the content of a file. */
  readonly secretFor: (node: Attestation) => string | Promise<string>
  /** Hears of every node that joined, and of every one that was refused. Never of tokens and secrets. */
  readonly log: (line: JoinLine) => void
}

/** One line about one request. */
export type JoinLine =
  | {
      readonly event: 'joined'
      readonly node: string
      readonly host: string | null
      readonly token: string
      readonly policies: readonly string[]
    }
  | { readonly event: 'refused'; readonly code: AttestationRefused['code']; readonly facts: unknown }
  | { readonly event: 'failed'; readonly node: string; readonly why: string }

/** Where nodes ask. */
export const JOINS = '/v1/joins'

/**
 * Hands a node what it needs to join a cluster, if its attestation token is for this audience, was given under a policy that the cluster's
 * owner has reviewed, and is sent with a proof (RFC 9449) of the key that the node's evidence binds: whoever else has the token gets nothing.
 */
export function createJoinBroker({ publicUrl, secretFor, log, ...expected }: BrokerOptions): Hono {
  const broker = new Hono()
  const onRefusal = ({ code, facts }: AttestationRefused) => log({ event: 'refused', code, facts })
  broker.use(JOINS, attested({ ...expected, confirm: 'dpop', publicUrl, onRefusal }))
  broker.post(JOINS, async (context) => {
    const node = attestationFor(context)
    const { sub, host_id: host, jti } = node.claims
    const secret = await secretFor(node)
    log({ event: 'joined', node: sub, host: host ?? null, token: jti, policies: node.items.map(({ policy }) => policy.sha256) })
    return context.json({ node: sub, join_secret: secret }, 201, { 'cache-control': 'no-store' })
  })
  broker.onError((error, context) => {
    log({ event: 'failed', node: context.req.path, why: error.message })
    return context.json({ code: 'internal-error' }, 500)
  })
  return broker
}
