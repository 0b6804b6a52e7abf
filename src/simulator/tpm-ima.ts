import { digestIn, u32le, utf8 } from './tpm-log.ts'
import type { PcrBank } from '../verifiers/tpm/claims.ts'

/** A file that Linux measured, by the content that it had. */
export type MeasuredFile = { readonly path: string; readonly content: string }

/** One entry of an IMA list in template ima-ng (specification tpm.md section 12). */
export type ImaEntry = { readonly digest: Uint8Array; readonly path: string }

/** The entry of a file. */
export const imaFile = ({ path, content }: MeasuredFile): ImaEntry => ({ digest: digestIn('sha256', utf8(content)), path })

/** The first entry of every list: the boot that Linux found in PCRs 0 to 9 of the SHA-256 bank. */
export const bootAggregate = (pcrs: readonly Uint8Array[]): ImaEntry => ({ digest: digestIn('sha256', ...pcrs), path: 'boot_aggregate' })

/** Template data: each field with its length in front. */
function templateData({ digest, path }: ImaEntry): Uint8Array {
  const fields = [Buffer.concat([utf8('sha256:\0'), digest]), utf8(`${path}\0`)]
  return new Uint8Array(Buffer.concat(fields.flatMap((field) => [u32le(field.length), field])))
}

/** What PCR 10 of a bank is extended with. */
export const imaDigestIn = (bank: PcrBank, entry: ImaEntry): Uint8Array => digestIn(bank, templateData(entry))

/** The list as Linux shows it in ASCII. */
export const imaText = (entries: readonly ImaEntry[]): Uint8Array => utf8(entries.map(imaLine).join(''))

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const imaLine = (entry: ImaEntry): string => `10 ${hex(imaDigestIn('sha1', entry))} ima-ng sha256:${hex(entry.digest)} ${entry.path}\n`
