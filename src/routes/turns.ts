/** Work that takes turns with everything else that a process does. */
export type Turns = {
  /** Asked between two steps, as often as one likes: a promise when it is somebody else's turn, undefined while there is time left. */
  readonly next: () => Promise<void> | undefined
}

/** Milliseconds of one turn: what a short request waits for long ones, however many there are. */
const TURN_MS = 2

/**
 * One turn at a time for all long work of a process, and between two of them whatever else is due. Turns are measured, not counted in steps:
 * what a step costs depends on the policy and on how busy the machine is. `clock`: milliseconds; tests give another.
 */
export function createTurns(clock: () => number = () => performance.now()): Turns {
  const waiting: (() => void)[] = []
  let began = -Infinity
  const serve = (): void => {
    began = clock()
    waiting.shift()?.()
    // Immediates that are set by an immediate come after sockets and timers.
    if (waiting.length > 0) setImmediate(serve)
  }
  return {
    next() {
      if (clock() - began < TURN_MS) return undefined
      const { promise, resolve } = Promise.withResolvers<void>()
      if (waiting.push(resolve) === 1) setImmediate(serve)
      return promise
    },
  }
}

/** Those of this process. */
export const turns: Turns = createTurns()
