import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { z } from 'zod'
import { createJoinBroker, JOINS } from '../../examples/join-broker/broker.ts'
import { askToJoin, proofFor, type AttestedNode } from '../../examples/join-broker/join.ts'
import { styled, type Output } from './output.ts'
import { attestedGuest, type Simulation } from './simulation.ts'

type Shown = { readonly url: string; readonly issuer: string; readonly simulation: Simulation; readonly output: Output }

const answer = z.object({ token: z.string(), appraisal: z.object({ policy: z.object({ sha256: z.string() }) }) })

/** Shows what a token is for: a node joins a cluster with it, and whoever has stolen it does not. True if that is what happens. */
export async function showJoin({ url, issuer, simulation, output }: Shown): Promise<boolean> {
  const { body, key } = await attestedGuest(simulation, url)
  const { token, appraisal } = answer.parse(body)
  const [node, policy] = [{ token, key }, appraisal.policy.sha256]
  const broker = await startBroker({ url, issuer, policy })
  try {
    const tries = await triesOf(node, broker.url)
    const [joined, ...stolen] = tries
    const outcome = joined?.status === 201 && stolen.every(({ status }) => status === 401 || status === 403) ? 'right' : 'wrong'
    const rows = tries.map(
      ({ who, status, says }) => `  ${who.padEnd(40)} ${styled(status === 201 ? 'green' : 'red', `${status} ${says}`)}`,
    )
    output.out(
      ['', styled('bold', 'A node joins a cluster; a thief of its token does not (examples/join-broker):'), ...rows, ''].join('\n'),
    )
    return outcome === 'right'
  } finally {
    broker.close()
  }
}

type Place = { readonly url: string; readonly issuer: string; readonly policy: string }

async function startBroker({ url, issuer, policy }: Place): Promise<{ readonly url: string; readonly close: () => void }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const publicUrl = `http://127.0.0.1:${port}`
  const broker = createJoinBroker({
    issuer,
    // A name that ends in .invalid tells no address.
    jwksUri: `${url}/.well-known/jwks.json`,
    audience: 'default',
    publicUrl,
    accept: { policies: [{ sha256: policy }], demo: 'DANGEROUSLY_ACCEPT_DEMO' },
    secretFor: () => `join-${randomBytes(6).toString('hex')}`,
    log: () => undefined,
  })
  const listener = getRequestListener(broker.fetch)
  server.on('request', (incoming, outgoing) => void listener(incoming, outgoing))
  return { url: publicUrl, close: () => void server.close() }
}

type Try = { readonly who: string; readonly status: number; readonly says: string }

/** The node, and then somebody who has read its request on the way: token, proof and all. */
async function triesOf(node: AttestedNode, broker: string): Promise<readonly Try[]> {
  const url = `${broker}${JOINS}`
  const proof = await proofFor(node, 'POST', url)
  const send = (headers: Readonly<Record<string, string>>) => fetch(url, { method: 'POST', headers })
  const dpop = `DPoP ${node.token}`
  return [
    await told('the node, with its key', await send({ authorization: dpop, dpop: proof })),
    await told('a thief, with its token and its proof', await send({ authorization: dpop, dpop: proof })),
    await told(
      'a thief, with its token and another key',
      await askToJoin({ ...node, key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }, broker),
    ),
    await told('a thief, with its token alone', await send({ authorization: `Bearer ${node.token}` })),
  ]
}

const brokerAnswer = z.union([z.object({ join_secret: z.string() }), z.object({ code: z.string() })])

async function told(who: string, response: Response): Promise<Try> {
  const body = brokerAnswer.parse(await response.json())
  return { who, status: response.status, says: 'code' in body ? body.code : `its secret: ${body.join_secret}` }
}
