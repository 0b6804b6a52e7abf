import type { Judged } from './digests.ts'
import { aaelText } from './event-types.ts'

/** `domain SP operation SP content` (specification tdx.md section 8.2): what confidential containers measure when they pull an image. */
const PULL = 'github.com/confidential-containers PullImage '
/** The content as its writer lays it out; anything else is told as it is. */
const CONTENT = /^\{"image":"[^"\\]*","digest":"(?<digest>[a-z0-9]+:[0-9a-f]+)"\}$/

/**
 * The images of the runtime register, in order. null where one of its events is not explained by its data: what it was is then unknown, and it
 * may have been an image.
 */
export function containerImages(events: readonly Judged[]): readonly string[] | null {
  const explained = events.flatMap((event) => (event.measured === undefined ? [] : [event.measured]))
  if (explained.length < events.length) return null
  return explained.flatMap((bytes) => {
    // Bytes that are not UTF-8 are replaced: such an entry is on nobody's list.
    const text = aaelText(bytes)?.toString('utf8')
    return text?.startsWith(PULL) === true ? [imageOf(text.slice(PULL.length))] : []
  })
}

/** Longer references are cut: the digest of an image is never that long. */
const MAX_REFERENCE = 512
const imageOf = (content: string): string => CONTENT.exec(content)?.groups?.['digest'] ?? content.slice(0, MAX_REFERENCE)
