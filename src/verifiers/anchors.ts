import type { AmdAnchor, Anchors } from './verifier.ts'
/** Marks everything that the simulator mints (design section 5); critical. */
export const MARKER_OID = '2.25.291172566907466166161648125306256757391295.1'
/** stub */
export function anchorsOf(amd: readonly AmdAnchor[]): Anchors {
  return { amd, digest: '' }
}
/** AMD's nine published keys: the anchors of production. */
export const pinnedAnchors: Anchors = anchorsOf([])
/** stub */
export function testAnchors(roots: readonly Uint8Array[], others: readonly Uint8Array[]): readonly AmdAnchor[] {
  throw new Error(`not yet ${roots.length} ${others.length}`)
}
