import { setImmediate } from 'node:timers/promises'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Call } from './call.ts'
import { PACE } from './pace.ts'
import { readParts } from './parts.ts'
import { createWork } from './work.ts'

const LIMITS = { bodyBytes: 1000, eventLogBytes: 1000, imaBytes: 1000, inFlight: 1 }
const FORM = 'multipart/form-data; boundary=b'
const head = (name: string) => `--b\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n`

async function* slowly(...pieces: readonly string[]) {
  for (const piece of pieces) {
    yield Buffer.from(piece)
    for (let i = 0; i < 20; i += 1) await setImmediate()
  }
}

const callOf = (...pieces: readonly string[]): Call => ({
  requestId: 'r',
  method: 'POST',
  path: '/',
  header: (name) => (name === 'content-type' ? FORM : undefined),
  param: () => '',
  body: slowly(...pieces),
  caller: undefined,
  prefix: 'p',
  work: createWork(LIMITS),
})

const BEGINNING = [`${head('request')}{}\r\n`, `${head('ima_log')}a list`] as const

const declaring = (name: string) => ({ 'content-type': FORM, 'content-length': '1000000' })[name]

async function* stopping() {
  for (const piece of BEGINNING) yield Buffer.from(piece)
  await new Promise(() => {})
}

afterEach(() => void vi.useRealTimers())

describe('parts that arrive one after the other', () => {
  it('are read to the end of the body', async () => {
    const { request, list } = await readParts(callOf(...BEGINNING, '\r\n--b--\r\n'), LIMITS)
    await list.finish()
    expect(Buffer.from(request).toString()).toBe('{}')
  })

  it.each([
    ['another part', ['\r\n--b\r\n', `${head('more').slice(5)}x\r\n--b--\r\n`]],
    ['nothing', ['\r\n--b\r\n']],
    ['half an end', ['\r\n--']],
  ])('are refused where the list is followed by %s', async (_, rest) => {
    const { list } = await readParts(callOf(...BEGINNING, ...rest), LIMITS)
    await expect(list.finish()).rejects.toMatchObject({ code: 'request-malformed' })
  })

  it('are refused where nothing more arrives', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] })
    const { list } = await readParts({ ...callOf(), body: stopping() }, LIMITS)
    const [ended] = await Promise.allSettled([list.finish(), vi.advanceTimersByTimeAsync(PACE.patienceMs)])
    expect(ended).toMatchObject({ status: 'rejected', reason: { code: 'request-timeout' } })
  })

  it('are not read where they say that they are too long', async () => {
    let isAsked = false
    const body = { [Symbol.asyncIterator]: () => ((isAsked = true), stopping()) }
    await expect(readParts({ ...callOf(), header: declaring, body }, LIMITS)).rejects.toMatchObject({ code: 'request-too-large' })
    expect(isAsked).toBe(false)
  })

  it('are held to their own limits', async () => {
    const long = 'x'.repeat(1001)
    await expect(readParts(callOf(`${head('request')}${long}\r\n`, head('ima_log')), LIMITS)).rejects.toMatchObject({
      code: 'request-too-large',
    })
    const { list } = await readParts(callOf(...BEGINNING, long, '\r\n--b--\r\n'), LIMITS)
    await expect(list.finish()).rejects.toMatchObject({ code: 'request-too-large' })
  })
})
