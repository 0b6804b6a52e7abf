import { describe, expect, it } from 'vitest'
import { signaturePlace, signatureThreads } from './threads.ts'

describe('threads that verify signatures', () => {
  it.each([
    [1, 1, 2],
    [2, 1, 2],
    [2, 2, 2],
    [3, 1, 3],
    [4, 1, 4],
    [8, 3, 3],
    [64, 1, 4],
    [64, 64, 2],
  ])('%i cores for %i processes: %i in each', (cores, processes, threads) => {
    expect(signatureThreads(cores, processes)).toBe(threads)
  })
})

describe('where signatures are verified', () => {
  it.each([
    [1, 1, 'pool'],
    [2, 1, 'pool'],
    [2, 2, 'in-place'],
    [4, 2, 'pool'],
    [4, 8, 'in-place'],
  ])('%i cores for %i processes: %s', (cores, processes, place) => expect(signaturePlace(cores, processes)).toBe(place))
})
