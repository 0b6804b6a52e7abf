import type { PcrBank } from '../verifiers/tpm/claims.ts'
import { pem } from './envelopes.ts'
import { base64 } from './hosts.ts'
import type { FakeTpms, TpmCertificateOptions } from './tpm.ts'
import { grubBoot } from './tpm-boot.ts'
import type { AreaFields, AttestFields, Selection } from './tpm-bytes.ts'
import { bootAggregate, imaDigestIn, imaFile, imaText, type ImaEntry, type MeasuredFile } from './tpm-ima.ts'
import { measuredIn, tcg2Log, type Measurement } from './tpm-log.ts'
import {
  fakeTpm,
  type AkChoice,
  type AkPlace,
  type EkChoice,
  type FakeAk,
  type FakeQuote,
  type FakeTpm,
  type TpmStop,
} from './tpm-machine.ts'

/** A quote as it travels: PCR values in lower-case hex by bank and number. */
type TpmQuoteJson = {
  readonly quote: string
  readonly signature: string
  readonly pcrs: Readonly<Record<string, Readonly<Record<string, string>>>>
}

/** A TPM evidence item as it travels (openapi.yaml, TpmEvidence). */
export type TpmItemJson = {
  readonly type: 'tpm'
  readonly quotes: readonly TpmQuoteJson[]
  readonly ak_public?: string
  readonly ak_certificates?: readonly string[]
  readonly event_log?: string
  readonly ima_log?: string
  readonly ima_state?: string
}

/** What is different about one piece of evidence. */
export type TpmChanges = {
  /** Another key than the host's own, with certificates of its own or none. */
  readonly ak?: FakeAk
  /** Fields of the signed structures that differ from the truth. */
  readonly attest?: Partial<AttestFields>
  /** In place of one quote over PCRs 0 to 14 of every bank: what each quote selects. */
  readonly quotes?: readonly (readonly Selection[])[]
  /** The last word on the item, nothing of which is signed again. */
  readonly item?: (item: TpmItemJson) => TpmItemJson
}

/** What a host with a TPM is. */
export type TpmHostOptions = {
  readonly name?: string
  readonly ek?: EkChoice
  readonly ak?: AkChoice
  readonly area?: Partial<AreaFields>
  readonly place?: AkPlace
  readonly banks?: readonly PcrBank[]
  /** What it measures when it starts; default: shim, GRUB and a kernel under Secure Boot. */
  readonly boot?: readonly Measurement[]
  /** The boot that its log tells of, where it lies. */
  readonly shownBoot?: readonly Measurement[]
  /** Files that Linux measures behind every start, in the order in which they ran; absent: Linux measures none. */
  readonly files?: readonly MeasuredFile[]
  /** Whether the cloud certified its attestation key. */
  readonly certified?: 'by-cloud' | 'by-nobody'
  readonly certificate?: TpmCertificateOptions
  /** What is different about all of its evidence. */
  readonly changes?: TpmChanges
}

/** A host with a TPM in software. Its evidence binds 32 bytes of extraData, not REPORT_DATA. */
export type FakeTpmHost = {
  readonly name: string
  readonly product: 'TPM'
  readonly binds: 'extraData'
  readonly tpm: FakeTpm
  readonly ak: FakeAk
  /** The manufacturer's certificate of the endorsement key, and the intermediate above it. */
  readonly ekChain: readonly [Uint8Array, Uint8Array]
  readonly evidence: (extraData: Uint8Array, changes?: TpmChanges) => TpmItemJson
  /** Sends these certificates of its attestation key (PEM) from now on. */
  readonly adopt: (certificates: readonly string[]) => void
  /** A file is measured by Linux. */
  readonly run: (file: MeasuredFile) => void
  /** Off and on; behind a resume everything is as before, else the host boots, the same as before unless told otherwise. */
  readonly reboot: (how?: TpmStop, boot?: readonly Measurement[]) => void
}

const DEFAULTS = {
  name: 'tpm',
  ek: 'ecc-p256',
  ak: 'ecdsa-p256',
  area: {},
  place: 'below-ek',
  banks: ['sha256'],
  boot: grubBoot(),
  certified: 'by-nobody',
} as const satisfies TpmHostOptions

/** A new host; its TPM was made by the fake manufacturer. */
export function fakeTpmHost(tpms: FakeTpms, options: TpmHostOptions = {}): FakeTpmHost {
  const { name, banks, ek, ak: choice, area, place, boot, certified } = { ...DEFAULTS, ...options }
  const tpm = fakeTpm(ek, banks)
  const ak = tpm.createAk(choice, area, place)
  let certificates = certified === 'by-nobody' ? [] : cloudChain(tpms, ak, options)
  const running = createRunning(tpm, options)
  running.start(boot)
  return {
    name,
    product: 'TPM',
    binds: 'extraData',
    tpm,
    ak,
    ekChain: [tpms.ekCertificate(tpm.ek.publicKey), tpms.authority('manufacturer').der],
    evidence: (extraData, changes) => {
      const shown = { ...running.logs(banks), ...(certificates.length === 0 ? {} : { ak_certificates: certificates }) }
      return itemOf(tpm, { ak, banks, extraData, shown }, { ...options.changes, ...changes })
    },
    adopt: (chain) => (certificates = chain),
    run: running.run,
    reboot: (how = 'orderly', next) => {
      tpm.restart(how)
      if (how !== 'resume') running.start(next)
    },
  }
}

function cloudChain(tpms: FakeTpms, { publicKey }: FakeAk, { certificate }: TpmHostOptions): readonly string[] {
  return [tpms.akCertificate(publicKey, certificate), tpms.authority('cloud').der].map((der) => pem(der))
}

/** What a host has measured since it started. */
function createRunning(tpm: FakeTpm, { files, shownBoot }: TpmHostOptions) {
  let boot: readonly Measurement[] = []
  let list: readonly ImaEntry[] = []
  const measure = (entry: ImaEntry) => {
    list = [...list, entry]
    tpm.extend(10, (bank) => imaDigestIn(bank, entry))
  }
  const run = (file: MeasuredFile) => measure(imaFile(file))
  return {
    run,
    start: (next: readonly Measurement[] = boot) => {
      boot = next
      list = []
      for (const one of boot) tpm.extend(one.pcr, (bank) => measuredIn(bank, one))
      if (files === undefined) return
      measure(bootAggregate(BOOT_PCRS.map((pcr) => tpm.pcr('sha256', pcr))))
      for (const file of files) run(file)
    },
    logs: (banks: readonly PcrBank[]) => ({
      event_log: base64(tcg2Log(shownBoot ?? boot, banks)),
      ...(list.length === 0 ? {} : { ima_log: base64(imaText(list)) }),
    }),
  }
}

/** PCRs that the first entry of an IMA list tells of (specification tpm.md section 12.4). */
const BOOT_PCRS = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
/** PCRs that hosts quote: all that a boot extends, and the list of measured files. */
const QUOTED = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14]

type Given = {
  readonly ak: FakeAk
  readonly banks: readonly PcrBank[]
  readonly extraData: Uint8Array
  readonly shown: Omit<TpmItemJson, 'type' | 'quotes'>
}

function itemOf(tpm: FakeTpm, { ak, banks, extraData, shown }: Given, changes: TpmChanges): TpmItemJson {
  const { quotes = [banks.map((bank) => ({ bank, pcrs: QUOTED }))], attest = {}, item = (same) => same } = changes
  const signer = changes.ak ?? ak
  return item({
    type: 'tpm',
    quotes: quotes.map((selections) => wireQuote(tpm.quote(signer, { extraData, selections, attest }))),
    ak_public: base64(signer.area),
    ...shown,
  })
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const wireQuote = ({ quote, signature, pcrs }: FakeQuote): TpmQuoteJson => ({
  quote: base64(quote),
  signature: base64(signature),
  pcrs: Object.fromEntries(
    Object.entries(pcrs).map(([bank, values]) => [
      bank,
      Object.fromEntries(Object.entries(values).map(([pcr, value]) => [pcr, hex(value)])),
    ]),
  ),
})
