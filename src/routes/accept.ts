import { AttestationError } from '../verifiers/problems.ts'

/**
 * The media type to answer with: the one of `offers` that the Accept header likes best, the first of equals; the first offer without a
 * header (RFC 9110 section 12.5.1). Throws `not-acceptable-media-type`.
 */
export function negotiate<T extends string>(accept: string | undefined, offers: readonly [T, ...T[]]): T {
  if (accept === undefined || accept.trim() === '') return offers[0]
  const only = offers.find((offer) => offer === accept)
  if (only !== undefined) return only
  const ranges = accept.split(',').map(parseRange)
  const liked = offers.map((offer) => ({ offer, quality: qualityOf(offer, ranges) }))
  const best = liked.reduce((a, b) => (b.quality > a.quality ? b : a))
  if (best.quality > 0) return best.offer
  throw new AttestationError('not-acceptable-media-type', `this operation answers with ${offers.join(', ')}`, { at: 'Accept' })
}

type Range = { readonly type: string; readonly quality: number }

function parseRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const weight = parameters.find((parameter) => parameter.startsWith('q='))
  const quality = weight === undefined ? 1 : Number(weight.slice(2))
  return { type, quality: quality >= 0 && quality <= 1 ? quality : 0 }
}

/** The most specific range that covers the type decides. */
function qualityOf(offer: string, ranges: readonly Range[]): number {
  const wider = [offer, `${offer.slice(0, offer.indexOf('/'))}/*`, '*/*']
  const covering = wider.flatMap((type) => ranges.filter((range) => range.type === type))
  return covering[0]?.quality ?? 0
}
