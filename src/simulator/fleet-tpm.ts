import type { ProblemCode } from '../verifiers/problems.ts'
import { attest, type AttestAnswer, type AttestTarget } from './attest.ts'
import { grubBoot, imageDigest, SIM_BOOT, SIM_BOOT_AUTHORITY, SIM_UKI, UKI_IMAGE, ukiBoot, ukiDigests } from './tpm-boot.ts'
import { enrolHost } from './tpm-enrolment.ts'
import { fakeTpmHost, type FakeTpmHost, type TpmHostOptions } from './tpm-hosts.ts'
import { imaFile, type MeasuredFile } from './tpm-ima.ts'
import type { FakeTpms } from './tpm.ts'

/** What every policy for the fleet's TPMs asks. */
const COMMON = {
  ek: { bases: ['listed'] },
  secure_boot: { enabled: 'require', authorities: [SIM_BOOT_AUTHORITY] },
  zero_pcrs: [12, 13],
  clock: { compare_to_previous: 'yes' },
} as const

const SERVERS = {
  ...COMMON,
  boot_applications: { allowed: ['shim', 'grub', SIM_BOOT.kernel].map(imageDigest) },
  kernel_cmdline: { exact: [SIM_BOOT.commandLine] },
} as const

/** What the fleet's policy says of hosts with a TPM: which boot loaders, kernels and command lines. */
export const TPM_FLEET_POLICY = { tpm: SERVERS } as const

const FILES: readonly MeasuredFile[] = ['/usr/bin/bash', '/usr/lib/systemd/systemd', '/usr/bin/shop'].map((path) => ({
  path,
  content: `the content of ${path}`,
}))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const listedFiles = Object.fromEntries(FILES.map((file) => [file.path, [`sha256:${hex(imaFile(file).digest)}`]]))

const UKI_POLICY = 'fleet-uki'
const IMA_POLICY = 'fleet-ima'

/** Policies of their own for hosts that boot, or are watched, in another way. */
export const TPM_FLEET_POLICIES = [
  {
    name: UKI_POLICY,
    explain: 'full',
    evidence: ['tpm'],
    tpm: {
      ...COMMON,
      boot_applications: { match: 'exact', allowed: [imageDigest(UKI_IMAGE)] },
      uki: { images: [{ label: 'simulated image 1', sections: ukiDigests(SIM_UKI) }] },
    },
  },
  {
    name: IMA_POLICY,
    explain: 'full',
    evidence: ['tpm'],
    tpm: { ...SERVERS, ima: { mode: 'require', digests: listedFiles } },
  },
] as const

/** A host with a TPM in the demonstration. */
export type TpmStory = {
  readonly name: string
  readonly story: string
  readonly host: FakeTpmHost
  readonly expected: 'issued' | ProblemCode
  readonly run: (target: AttestTarget) => Promise<AttestAnswer>
}

type Story = Omit<TpmStory, 'host' | 'run'> & {
  readonly options?: TpmHostOptions
  /** Default: `listed`. */
  readonly enrolment?: 'listed' | 'unlisted' | 'none'
  /** The policy that it asks for, where it is not the fleet's first. */
  readonly policy?: string
}

const GOOD: readonly Story[] = [
  { name: 'tpm-1', story: 'enrolled, shim and GRUB', options: { ek: 'rsa-2048' }, expected: 'issued' },
  {
    name: 'tpm-2',
    story: 'P-384, unified image',
    options: { ek: 'ecc-p384', ak: 'ecdsa-p384', boot: ukiBoot() },
    policy: UKI_POLICY,
    expected: 'issued',
  },
  { name: 'tpm-3', story: 'every file measured', options: { files: FILES }, policy: IMA_POLICY, expected: 'issued' },
  {
    name: 'vtpm-1',
    story: 'key certified by a cloud',
    options: { certified: 'by-cloud', banks: ['sha1', 'sha256'] },
    enrolment: 'none',
    expected: 'issued',
  },
]

const PATCHED = grubBoot({ kernel: 'vmlinuz-6.12-patched' })
const SHELL: MeasuredFile = { path: '/tmp/shell', content: 'somebody’s own' }

const BAD: readonly Story[] = [
  { name: 'tpm-kernel', story: 'changed kernel', options: { boot: PATCHED }, expected: 'tpm-boot-app-not-allowed' },
  {
    name: 'tpm-log',
    story: 'changed kernel, good log',
    options: { boot: PATCHED, shownBoot: grubBoot() },
    expected: 'tpm-eventlog-replay-mismatch',
  },
  {
    name: 'tpm-open',
    story: 'Secure Boot off',
    options: { boot: grubBoot({ secureBoot: 'off' }) },
    expected: 'tpm-secureboot-disabled',
  },
  {
    name: 'tpm-line',
    story: 'other command line',
    options: { boot: grubBoot({ commandLine: `${SIM_BOOT.commandLine} init=/bin/sh` }) },
    expected: 'tpm-kernel-cmdline-not-allowed',
  },
  {
    name: 'tpm-file',
    story: 'ran a file nobody listed',
    options: { files: [...FILES, SHELL] },
    policy: IMA_POLICY,
    expected: 'tpm-ima-not-allowed',
  },
  {
    name: 'tpm-replay',
    story: 'quote for another nonce',
    options: { changes: { attest: { extraData: new Uint8Array(32).fill(0x5a) } } },
    expected: 'tpm-nonce-mismatch',
  },
  { name: 'tpm-key', story: 'key that nobody enrolled', enrolment: 'none', expected: 'tpm-ak-untrusted' },
  { name: 'tpm-unknown', story: 'TPM that nobody listed', enrolment: 'unlisted', expected: 'tpm-ek-not-listed' },
]

/** The hosts with a TPM, and which of their endorsement keys the operator lists (SHA-256 of SubjectPublicKeyInfo). */
export function tpmFleet(tpms: FakeTpms): { readonly stories: readonly TpmStory[]; readonly listed: readonly string[] } {
  const made = [...GOOD, ...BAD].map((story) => ({ story, host: fakeTpmHost(tpms, { ...story.options, name: story.name }) }))
  const listed = made.flatMap(({ story, host }) => (story.enrolment === undefined ? [host.tpm.ekSpkiSha256] : []))
  const stories = made.map(({ story, host }): TpmStory => {
    const { name, story: text, expected } = story
    return { name, story: text, host, expected, run: (target) => runStory(story, host, target) }
  })
  return { stories, listed }
}

/** Enrols where the host does, and attests. Hosts enrol anew each time, as certificates are for one service and end. */
async function runStory({ enrolment, policy }: Story, host: FakeTpmHost, target: AttestTarget): Promise<AttestAnswer> {
  if (enrolment !== 'none') {
    const enrolled = await enrolHost(host, target)
    if (enrolled.status !== 201) return enrolled
  }
  return attest(host, policy === undefined ? target : { policy, ...target })
}
