import type { FakeIntel } from './intel.ts'
import type { FakePck } from './pck.ts'

/** The header that brings the chain of a PCK certificate. */
export const PCK_CHAIN_HEADER = 'SGX-PCK-Certificate-Issuer-Chain'

/** A PCK certificate as it is handed out. */
export type PckAnswer = FakePck & { readonly headers: Readonly<Record<string, string>> }

/** Finds a platform by its encrypted PPID; `bad` where the query is not what Intel asks for. */
export function pckCertificate(intel: FakeIntel, query: URLSearchParams): PckAnswer | 'bad' | undefined {
  const [ppid = '', ...tcb] = ['encrypted_ppid', 'cpusvn', 'pcesvn', 'pceid'].map((name) => query.get(name) ?? '')
  const lengths = [32, 4, 4]
  if (!/^[0-9a-f]{768}$/i.test(ppid) || tcb.some((value, index) => value.length !== lengths[index])) return 'bad'
  const pck = intel.platform(ppid.slice(0, 32).toLowerCase())
  return pck === undefined ? undefined : { ...pck, headers: headersOf(pck) }
}

/** SGX-TCBm: CPUSVN and PCESVN (little-endian) for which the certificate is. */
function headersOf({ fields, ca }: FakePck): Readonly<Record<string, string>> {
  const pcesvn = Buffer.alloc(2)
  pcesvn.writeUInt16LE(fields.pcesvn)
  return {
    'SGX-TCBm': Buffer.concat([fields.cpusvn, pcesvn]).toString('hex').toUpperCase(),
    'SGX-FMSPC': Buffer.from(fields.fmspc).toString('hex').toUpperCase(),
    'SGX-PCK-Certificate-CA-Type': ca,
  }
}
