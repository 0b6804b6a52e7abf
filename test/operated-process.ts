import { attest } from '../src/simulator/attest.ts'
import { fakeHost } from '../src/simulator/hosts.ts'
import { documentsOf, RIGHT, senderBy, type Documents } from './operators-lab.ts'
import { OPERATORS } from './services.ts'
import { startService, untilReady, type ServiceProcess, type World } from './service-process.ts'

/** A service in processes of its own, as its operators and hosts use it. */
export type Operated = ServiceProcess & {
  readonly policies: Documents
  readonly sets: Documents
  readonly ask: () => ReturnType<typeof attest>
  /** Codes of the alarms in its log so far. */
  readonly alarms: () => readonly string[]
  readonly kill: () => Promise<void>
}

/** Members of the configuration: an audience `eu` with the policy of that name, and operators with the tokens of the fixture. */
const SETTINGS = {
  audiences: { eu: { policies: ['eu'] } },
  credentials: OPERATORS.map(({ name, roles, tokenSha256 }) => ({ name, role: roles[0], token_sha256: tokenSha256 })),
  rate_limit: { requests: 1_000_000, per_seconds: 60 },
}

/** Starts one and waits until it is ready. */
export async function startOperated(world: World, settings: Readonly<Record<string, unknown>>): Promise<Operated> {
  const service = await startService(world, { ...world.settings, ...SETTINGS, ...settings })
  await untilReady(service.url)
  const send = senderBy((path, init) => fetch(`${service.url}${path}`, init))
  const host = fakeHost(world.amd, { ships: 'certificates' })
  return {
    ...service,
    policies: documentsOf(send, '/v1/policies', 'eu'),
    sets: documentsOf(send, '/v1/reference-values', 'nodes'),
    ask: () => attest(host, { url: service.url, audience: 'eu' }),
    alarms: () => service.log.flatMap((line) => /"alarm":"([^"]+)"/.exec(line)?.[1] ?? []),
    kill: async () => {
      service.child.kill('SIGKILL')
      await service.ended
    },
  }
}

const WRONG = 'ab'.repeat(48)

/** The text of the policy `eu`: what it accepts, and what makes it differ from others that accept the same. */
export const policyText = (accepts: 'right' | 'wrong' | 'set', remark = ''): string => {
  const measurement = { right: `'${RIGHT}'`, wrong: `'${WRONG}'`, set: '{ set: nodes }' }[accepts]
  return `name: eu\nsnp:\n  measurements: [${measurement}]\n# ${remark}\n`
}
