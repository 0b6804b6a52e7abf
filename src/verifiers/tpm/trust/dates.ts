import { formatName } from '../../x509-name.ts'
import type { ParsedCertificate } from '../../x509.ts'
import type { ProvenChain } from './chain.ts'
import { skewMs, type Grounds } from './scope.ts'

/** The certificates of a chain, leaf first. */
export const certificatesOf = ({ leaf, authorities }: ProvenChain): readonly ParsedCertificate[] =>
  [leaf, ...authorities].map(({ certificate }) => certificate)

/** Which certificates are not valid now, clocks differing by what is tolerated, the anchor included. Empty: all are. */
export function notValidNow(certificates: readonly ParsedCertificate[], grounds: Pick<Grounds, 'now' | 'rigour'>): readonly string[] {
  const now = grounds.now.getTime()
  const skew = skewMs(grounds.rigour)
  // Asked so that a time that is no number fails.
  const ended = certificates.filter(({ notBefore, notAfter }) => !(notBefore.getTime() <= now + skew && now - skew <= notAfter.getTime()))
  return ended.map(windowText)
}

/** One line for people. A subject may be empty (Google's): the serial number then tells. */
export const windowText = ({ subject, serial, notBefore, notAfter }: ParsedCertificate): string =>
  `${subject.length === 0 ? `serial ${serial.toString(16)}` : formatName(subject)} from ${notBefore.toISOString()} to ${notAfter.toISOString()}`

/** The first chain of which every certificate is valid now; else the first of all. undefined for none. */
export const chooseChain = (chains: readonly ProvenChain[], grounds: Pick<Grounds, 'now' | 'rigour'>): ProvenChain | undefined =>
  chains.find((chain) => notValidNow(certificatesOf(chain), grounds).length === 0) ?? chains[0]

/** The earliest of dates; undefined for none. */
export const earliest = (dates: readonly (Date | undefined)[]): Date | undefined => {
  const times = dates.flatMap((date) => date?.getTime() ?? [])
  return times.length === 0 ? undefined : new Date(Math.min(...times))
}
