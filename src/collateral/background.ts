import type { Dated } from './dated-state.ts'
import { lookAfter } from './dated-care.ts'
import type { Deps } from './deps.ts'

/** Longest time between two looks at the store and the schedule, in milliseconds: after it, what another replica fetched is known here. */
export const LOOK = 60_000

/** What keeps documents fresh while nobody asks. */
export type Background = {
  /** Resolves after the first fetches were tried; goes on until `stop`. */
  readonly start: () => Promise<void>
  /** Resolves when nothing is under way any more. */
  readonly stop: () => Promise<void>
  /** Looks after one more document now rather than with the next round. */
  readonly lookNow: (dated: Dated) => void
}

/** Looks after the followed documents round by round. */
export function createBackground(deps: Deps, followed: () => readonly Dated[]): Background {
  let timer: NodeJS.Timeout | undefined
  let state: 'idle' | 'running' | 'stopped' = 'idle'
  const underWay = new Set<Promise<unknown>>()
  const track = async (work: Promise<unknown>): Promise<void> => {
    underWay.add(work)
    await work
    underWay.delete(work)
  }
  const round = async (): Promise<void> => {
    await track(Promise.all(followed().map((dated) => lookAfter(deps, dated))))
    if (state !== 'running') return
    const due = Math.min(...followed().map(({ next }) => next.getTime() - deps.now().getTime()))
    timer = setTimeout(() => void round(), Math.min(LOOK, Math.max(1_000, due)))
    timer.unref()
  }
  return {
    start: async () => {
      if (state !== 'idle') return
      state = 'running'
      await round()
    },
    stop: async () => {
      state = 'stopped'
      clearTimeout(timer)
      await Promise.all(underWay)
    },
    lookNow: (dated) => {
      if (state === 'running') void track(lookAfter(deps, dated))
    },
  }
}
