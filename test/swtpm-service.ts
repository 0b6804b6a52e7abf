import { createHash, X509Certificate } from 'node:crypto'
import { stringify } from 'yaml'
import { allPcrs, bootLog, certificate, HOST, LINE, sha256 } from './boot-log.ts'
import { text } from './event-log-bytes.ts'
import { bootAggregate, contentDigest, file } from './ima-lists.ts'
import { startService, untilReady, type ServiceProcess, type World } from './service-process.ts'
import { registerAfter } from './swtpm-host.ts'
import type { EkName, Swtpm } from './swtpm.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The firmware's log of such a boot. */
export const EVENT_LOG = bootLog(HOST)
const APPLICATIONS = ['shim', 'grub', 'kernel'].map((name) => hex(sha256(text(`MZ${name}`))))
const SERVERS = {
  name: 'servers',
  evidence: ['tpm'],
  tpm: {
    event_log: { required: 'require' },
    secure_boot: { enabled: 'require', authorities: [hex(sha256(certificate('db')))] },
    boot_applications: { allowed: APPLICATIONS, match: 'exact' },
    kernel_cmdline: { exact: [LINE] },
    clock: { compare_to_previous: 'yes' },
  },
}
const REGISTERS = {
  name: 'registers',
  evidence: ['tpm'],
  tpm: { pcrs: { sha256: { '4': [registerAfter(HOST, 4)] } } },
}
const STEADY = { ...REGISTERS, name: 'steady', tpm: { ...REGISTERS.tpm, clock: { safe: 'require' } } }
/** What the kernel measures of files. */
export const FILES = [
  bootAggregate(Array.from({ length: 10 }, (_, pcr) => allPcrs(HOST).get(pcr) ?? new Uint8Array())),
  file('/sbin/init', 'init'),
]
const MEASURED = {
  ...REGISTERS,
  name: 'measured',
  tpm: { ...REGISTERS.tpm, ima: { mode: 'require', digests: { '/sbin/init': [`sha256:${hex(contentDigest('init'))}`] } } },
}
const POLICIES = [SERVERS, REGISTERS, STEADY, MEASURED]

/** SHA-256 over the SubjectPublicKeyInfo of an endorsement key. */
async function listedEk(tpm: Swtpm, ek: EkName): Promise<string> {
  const { publicKey } = new X509Certificate(await tpm.ekCertificate(ek))
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
}

/**
 * A service of two processes that trusts the authority of a TPM and lists the TPM's endorsement keys (the P-256 one must be made). An audience for each
 * policy: `servers` (log, Secure Boot, applications, command line, quotes of before), `registers` (PCR 4), `steady` (a safe clock, too), `measured` (files, too).
 */
export async function startTpmService(
  world: World,
  tpm: Swtpm,
  { softwareTpm, ...settings }: { readonly softwareTpm: 'allow' | 'refuse'; readonly data_dir: string },
): Promise<ServiceProcess> {
  for (const policy of POLICIES) world.files.write(`policies/${policy.name}.yaml`, stringify(policy))
  const root = world.files.write('root.pem', tpm.authority.root)
  const service = await startService(world, {
    ...world.settings,
    processes: 2,
    audiences: Object.fromEntries(POLICIES.map(({ name }) => [name, { policies: [name] }])),
    tpm: {
      roots: { files: [{ file: root, roles: ['ek'], authority: 'lab', manufacturers: ['00001014'] }] },
      certificates: [world.files.write('issuer.pem', tpm.authority.issuer)],
      enrolment: {
        ek: [await listedEk(tpm, 'rsa'), await listedEk(tpm, 'p384'), await listedEk(tpm, 'p256')],
        software_tpm: softwareTpm,
      },
    },
    ...settings,
  })
  await untilReady(service.url)
  return service
}
