/** A host with a TPM whose key is enrolled: quotes by an RSA-2048 or a P-256 key, with an event log of any length, and a list of any length. */
import { hash } from 'node:crypto'
import { fakeAmd } from '../src/simulator/amd.ts'
import { collateralBundle } from '../src/simulator/bundle.ts'
import { allPcrs, bootLog, grub, HOST, inserted, type Event } from '../test/boot-log.ts'
import { ascii, bootAggregate, file, pcr10, type Listed } from '../test/ima-lists.ts'
import { akNameOf, TEST_AKS, testEvidence } from '../test/tpm-quotes.ts'
import type { Accepted } from './setting.ts'

/** Keys as TPMs have them. */
export type AkKind = 'rsassa' | 'p256'

/** How long what travels beside the quote is; absent: there is none. */
export type Beside = { readonly logBytes?: number; readonly files?: number }

/** A request for a nonce, and the list that is streamed behind it. */
export type TpmHost = { readonly request: (nonce: Uint8Array) => object; readonly list: Uint8Array }

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64')

/** A host of one kind of key. */
export function tpmHost(kind: AkKind, { logBytes, files }: Beside = {}): TpmHost {
  const events = logBytes === undefined ? HOST : longBoot(logBytes)
  const pcrs = allPcrs(events)
  const entries = files === undefined ? [] : listOf(files, pcrs)
  if (files !== undefined) pcrs.set(10, pcr10(entries))
  const values = { sha256: Object.fromEntries([...pcrs].filter(([pcr]) => pcr <= 14).map(([pcr, value]) => [String(pcr), value])) }
  const selections = [{ bank: 'sha256', pcrs: Array.from({ length: 15 }, (_, pcr) => pcr) }] as const
  const wire = Object.fromEntries(Object.entries(values.sha256).map(([pcr, value]) => [pcr, Buffer.from(value).toString('hex')]))
  const beside = logBytes === undefined ? {} : { event_log: base64(bootLog(events)) }
  const request = (nonce: Uint8Array): object => {
    const { quotes, akPublic = new Uint8Array() } = testEvidence([{ selections, values, attest: { extraData: nonce } }], TEST_AKS[kind])
    const signed = quotes.map(({ quote, signature }) => ({ quote: base64(quote), signature: base64(signature), pcrs: { sha256: wire } }))
    const item = { type: 'tpm', quotes: signed, ak_public: base64(akPublic), ...beside }
    return { evidence: [item], nonce: base64(nonce), binding: 'nonce', audience: 'bearer' }
  }
  return { request, list: ascii(entries) }
}

/** A boot with as many commands of GRUB as fill a log; its bytes are those asked for, or barely less. */
function longBoot(bytes: number): readonly Event[] {
  const command = (i: number): Event => grub('grub_cmd: ', `set variable_${i}=${'x'.repeat(bytes > 1024 * 1024 ? 230 : 60)}`)
  const last = HOST.findIndex(({ pcr }) => pcr === 8)
  const free = bytes - bootLog(HOST).length
  const count = Math.floor(free / (bootLog([command(999_999)]).length - bootLog([]).length))
  const before = HOST[last]
  if (before === undefined) throw new Error('the boot has no event in PCR 8')
  return inserted(HOST, before, ...Array.from({ length: count }, (_, i) => command(i)))
}

const pathOf = (i: number): string => `/usr/lib/x86_64-linux-gnu/some/where/lib${i}.so.${i % 7}`

function listOf(files: number, pcrs: ReadonlyMap<number, Uint8Array>): readonly Listed[] {
  const firmware = Array.from({ length: 10 }, (_, pcr) => pcrs.get(pcr) ?? new Uint8Array())
  return [bootAggregate(firmware), ...Array.from({ length: files }, (_, i) => file(pathOf(i), pathOf(i)))]
}

const digestsOf = (files: number): Readonly<Record<string, readonly string[]>> =>
  Object.fromEntries(Array.from({ length: files }, (_, i) => [pathOf(i), [`sha256:${hash('sha256', pathOf(i))}`]] as const))

/** A service that enrolled both keys; with `files`, each of them must be listed. */
export async function tpmAccepted(files?: number): Promise<Accepted> {
  const amd = await fakeAmd({ products: ['Milan'] })
  return {
    accepts: {
      tpm: {
        ak_trust: ['enrolled-ak'],
        enrolled_aks: [akNameOf(testEvidence([{}], TEST_AKS.rsassa)), akNameOf(testEvidence([{}], TEST_AKS.p256))],
        unnamed_boot: 'DANGEROUSLY_ALLOW',
        ...(files === undefined ? {} : { ima: { mode: 'require', digests: digestsOf(files) } }),
      },
    },
    // A service is ready when it has the lists of AMD, too.
    roots: [amd.root('Milan')],
    bundle: collateralBundle(amd),
    sources: { intel_collateral: 'off', limits: { body_bytes: 8 * 1024 * 1024, event_log_bytes: 4 * 1024 * 1024 } },
  }
}
