import { derUtf8String } from '../asn1/values.ts'
import { GCE_IDENTITY } from '../verifiers/tpm/trust/gce-identity.ts'
import { derBoolean, derInteger, derSequence, extension, type SimExtension } from './der.ts'

/** An instance of a cloud as Google’s certificates describe it (specification tpm.md section 6.1). */
export type SimInstance = {
  readonly zone: string
  readonly projectNumber: bigint
  readonly projectId: string
  readonly instanceId: bigint
  readonly instanceName: string
  /** What the certificate says of itself; `unsaid`: nothing. */
  readonly production: 'yes' | 'no' | 'unsaid'
}

const INSTANCE: SimInstance = {
  zone: 'simulated-1a',
  projectNumber: 123_456_789n,
  projectId: 'shop',
  // Instance ids use all 64 bits.
  instanceId: 0xf000_0000_0000_0001n,
  instanceName: 'shop-1',
  production: 'yes',
}

/** [number] EXPLICIT of contents shorter than 128 bytes. */
const tagged = (number: number, content: Uint8Array): Uint8Array =>
  new Uint8Array(Buffer.concat([Uint8Array.of(0xa0 | number, content.length), content]))

/** The extension that says which instance an attestation key is of. It is believed under an authority of that name alone. */
export function instanceIdentity(instance: Partial<SimInstance> = {}): SimExtension {
  const { zone, projectNumber, projectId, instanceId, instanceName, production } = { ...INSTANCE, ...instance }
  const names = [
    derUtf8String(zone),
    derInteger(projectNumber),
    derUtf8String(projectId),
    derInteger(instanceId),
    derUtf8String(instanceName),
  ]
  const security = derSequence([tagged(0, derInteger(1)), tagged(1, derBoolean(production === 'yes'))])
  return extension(GCE_IDENTITY, derSequence(production === 'unsaid' ? names : [...names, tagged(0, security)]))
}
