import { oneOf } from '../appraisal/check.ts'

/**
 * What a change of an option does to what is accepted: `stricter` accepts less, `weaker` more; `both`: other evidence than before, so that
 * something is accepted now that was refused; `neither`: it decides nothing about evidence.
 */
export type Direction = 'stricter' | 'weaker' | 'both' | 'neither'

/** An option in words, and under which heading it belongs: accepted, asked for, not asked for, or a weakness written on purpose. */
export type Said = { readonly part: 'accepts' | 'asks' | 'leaves' | 'weakens'; readonly text: string }

/** How the values of one kind of option compare, and how they read. Values are JSON, undefined for a member that is left out. */
export type Kind = {
  readonly compare: (before: unknown, after: unknown) => Direction
  readonly say: (noun: string, value: unknown) => Said
}

const asks = (text: string): Said => ({ part: 'asks', text })
const leaves = (text: string): Said => ({ part: 'leaves', text })
const accepts = (text: string): Said => ({ part: 'accepts', text })

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value))

/** Whoever writes `DANGEROUSLY_…` knows it; whoever reads should, too. */
const isDangerous = (value: unknown): value is string => typeof value === 'string' && value.startsWith('DANGEROUSLY_')

/** The direction from one strength to another. */
export const towards = (before: number, after: number): Direction => (before === after ? 'neither' : after > before ? 'stricter' : 'weaker')

/** Several directions as one. */
export function combined(directions: readonly Direction[]): Direction {
  const seen = new Set(directions.filter((direction) => direction !== 'neither'))
  const [only = 'neither'] = seen
  return seen.size > 1 ? 'both' : only
}

const isAbsent = (value: unknown): value is undefined => value === undefined

/** The direction where a member that is left out asks nothing. */
const whereAbsent = (before: unknown, after: unknown): Direction => towards(isAbsent(before) ? 0 : 1, isAbsent(after) ? 0 : 1)

/** `deny` (or `refuse`) against any other word. The noun names what is refused: "guests that their host can debug". */
export const permission: Kind = {
  compare: (before, after) => towards(isDenial(before) ? 1 : 0, isDenial(after) ? 1 : 0),
  say: (noun, value) => (isDenial(value) ? asks(`no ${noun}`) : isDangerous(value) ? { part: 'weakens', text: noun } : accepts(noun)),
}

const isDenial = (value: unknown): boolean => value === 'deny' || value === 'refuse'

/** `any`, or `require`, or (of what can be on or off) `forbid`. */
export const demand: Kind = {
  compare: (before, after) => {
    if (before === 'any' || after === 'any') return towards(before === 'any' ? 0 : 1, after === 'any' ? 0 : 1)
    return before === after ? 'neither' : 'both'
  },
  say: (noun, value) => (value === 'any' ? leaves(noun) : asks(value === 'forbid' ? `not: ${noun}` : noun)),
}

/** `true` or `false`, of which one is the stricter. */
export const yes = (strict: boolean): Kind => ({
  compare: (before, after) => towards(before === strict ? 1 : 0, after === strict ? 1 : 0),
  say: (noun, value) => (value === strict ? asks(noun) : leaves(noun)),
})

/** Words from the strictest to the weakest, each with how it reads. */
export const ranked = (words: Readonly<Record<string, readonly [part: Said['part'], text: string]>>): Kind => {
  const strength = (value: unknown): number => -Object.keys(words).indexOf(textOf(value))
  return {
    compare: (before, after) => towards(strength(before), strength(after)),
    say: (noun, value) => {
      const [part, text] = words[textOf(value)] ?? ['asks', textOf(value)]
      return { part, text: text === '' ? noun : `${noun}: ${text}` }
    },
  }
}

/** Text that decides nothing about evidence. */
export const remark: Kind = {
  compare: () => 'neither',
  say: (noun, value) =>
    isAbsent(value) ? leaves(noun) : accepts(`${noun}: ${Array.isArray(value) ? entriesOf(value).join(', ') : textOf(value)}`),
}

/** Seconds for which something is still good: the fewer, the stricter. */
export const seconds: Kind = {
  compare: (before, after) => towards(-Number(before), -Number(after)),
  say: (noun, value) => (value === 0 ? asks(`no ${noun}`) : accepts(`${noun}: up to ${textOf(value)} s`)),
}

/** The most that is accepted. */
export const most: Kind = {
  compare: (before, after) => towards(-Number(before), -Number(after)),
  say: (noun, value) => asks(`${noun}: at most ${textOf(value)}`),
}

/** A minimum that is made of numbers: each of them counts for itself, or (`ordered`) the first that differs. */
const least = (numbers: (text: string) => readonly number[], ordered: boolean): Kind => ({
  compare: (before, after) => {
    if (isAbsent(before) || isAbsent(after)) return whereAbsent(before, after)
    const [old, young] = [numbers(textOf(before)), numbers(textOf(after))]
    const steps = young.map((number, at) => towards(old[at] ?? 0, number))
    return ordered ? (steps.find((step) => step !== 'neither') ?? 'neither') : combined(steps)
  },
  say: (noun, value) => (isAbsent(value) ? leaves(noun) : asks(`${noun}: at least ${textOf(value)}`)),
})

/** A minimum: a number, a version such as `1.55`, or a day. */
export const minimum: Kind = least((text) => text.split(/[.-]/).map(Number), true)

/** A minimum for each byte of hex. */
export const minimumOfBytes: Kind = least((text) => (text.match(/../g) ?? []).map((byte) => Number.parseInt(byte, 16)), false)

/** Bits of a field of 64: `required` must be set, `allowed` may be set, `ignored` are not looked at. */
export const bits = (meaning: 'required' | 'allowed' | 'ignored'): Kind => ({
  compare: (before, after) => {
    const more = towardsMore(bitsOf(before), bitsOf(after))
    return meaning === 'required' ? more : opposite(more)
  },
  say: (noun, value) => (isAbsent(value) ? leaves(noun) : asks(`${noun}: ${textOf(value)} ${BITS_READ[meaning]}`)),
})

const BITS_READ = { required: 'must be set', allowed: 'and no other bits may be set', ignored: 'is not compared' } as const

const ALL_BITS = Array.from({ length: 64 }, (_, bit) => bit)

const bitsOf = (value: unknown): readonly string[] => {
  const field = typeof value === 'string' ? BigInt(value) : 0n
  return ALL_BITS.filter((bit) => ((field >> BigInt(bit)) & 1n) === 1n).map(String)
}

/** From one set to another: `stricter` where it grew, for sets of which each member asks for more. */
function towardsMore(before: readonly string[], after: readonly string[]): Direction {
  const [old, young] = [new Set(before), new Set(after)]
  const came = after.some((entry) => !old.has(entry))
  const went = before.some((entry) => !young.has(entry))
  return combined([came ? 'stricter' : 'neither', went ? 'weaker' : 'neither'])
}

const opposite = (direction: Direction): Direction =>
  direction === 'stricter' ? 'weaker' : direction === 'weaker' ? 'stricter' : direction

/** A set of reference values that an entry names, or a value. */
const entryText = (entry: unknown): string =>
  typeof entry === 'object' && entry !== null && 'set' in entry ? `the set ${textOf(entry.set)}` : textOf(entry)

/** A list as text, entry by entry; empty for what is no list. */
export const entriesOf = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.map((entry: unknown) => entryText(entry)) : []

/** How far a list lets evidence through when it is no list: `nothing` refuses all, `anything` asks nothing. */
export const accepted = (absent: 'nothing' | 'anything'): Kind => {
  const strength = (value: unknown): number => (isDangerous(value) ? 0 : isAbsent(value) ? (absent === 'nothing' ? 2 : 0) : 1)
  return {
    compare: (before, after) =>
      Array.isArray(before) && Array.isArray(after)
        ? opposite(towardsMore(entriesOf(before), entriesOf(after)))
        : towards(strength(before), strength(after)),
    say: (noun, value) => {
      if (isDangerous(value)) return { part: 'weakens', text: `${noun}: anything at all` }
      if (!isAbsent(value)) return asks(`${noun}: ${oneOf(entriesOf(value))}`)
      return absent === 'nothing' ? asks(`${noun}: none is listed, so none is accepted`) : leaves(noun)
    },
  }
}

/** A list of what is refused, or (`demanded`) of what must be there: the longer, the stricter; of what is `tolerated`: the longer, the weaker. */
export const listed = (meaning: 'denied' | 'demanded' | 'tolerated'): Kind => ({
  compare: (before, after) => {
    const more = towardsMore(entriesOf(before), entriesOf(after))
    return meaning === 'tolerated' ? opposite(more) : more
  },
  say: (noun, value) => {
    if (isAbsent(value)) return meaning === 'tolerated' ? asks(`no ${noun}`) : leaves(noun)
    const entries = entriesOf(value)
    if (meaning === 'tolerated') return { part: 'weakens', text: `${noun}: ${entries.join(', ')}` }
    return asks(`${noun}: ${meaning === 'denied' ? `not ${oneOf(entries)}` : entries.join(', ')}`)
  },
})

const isMapping = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Lists of what is accepted, by the name of what they are about; a name without a list asks nothing. */
export const registers: Kind = {
  compare: (before, after) => {
    const [old, young] = [isMapping(before) ? before : {}, isMapping(after) ? after : {}]
    const names = new Set([...Object.keys(old), ...Object.keys(young)])
    return combined([...names].map((name) => accepted('anything').compare(old[name], young[name])))
  },
  say: (noun, value) => {
    if (!isMapping(value)) return leaves(noun)
    const told = Object.entries(value).map(([name, list]) => `${name}: ${oneOf(entriesOf(list))}`)
    return asks(`${noun}: ${told.join('; ')}`)
  },
}
