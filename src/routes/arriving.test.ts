import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { bodyOf, Broken } from './arriving.ts'

const collected = async (stream: PassThrough): Promise<string> => {
  const portions: Uint8Array[] = []
  await bodyOf(stream).each?.((portion) => portions.push(portion))
  return Buffer.concat(portions).toString()
}

describe('the body of a request', () => {
  it('is handed over in portions, to its end', async () => {
    const stream = new PassThrough()
    const body = collected(stream)
    stream.write('one ')
    stream.end('two')
    expect(await body).toBe('one two')
  })

  it('may be empty', async () => {
    const stream = new PassThrough()
    stream.end()
    expect(await collected(stream)).toBe('')
  })

  it('is broken where the connection ends first, with an error or without', async () => {
    const [reset, closed] = [new PassThrough(), new PassThrough()]
    const bodies = [collected(reset), collected(closed)]
    reset.write('one')
    reset.destroy(new Error('reset'))
    closed.destroy()
    const [first, second] = await Promise.allSettled(bodies)
    expect(first).toMatchObject({ status: 'rejected', reason: { cause: { message: 'reset' } } })
    expect(second).toMatchObject({ status: 'rejected', reason: expect.any(Broken) as unknown })
  })

  it('is broken where it broke before anybody listened', async () => {
    const stream = new PassThrough()
    stream.on('error', () => undefined)
    await new Promise((done) => stream.once('close', done).destroy(new Error('early')))
    await expect(collected(stream)).rejects.toMatchObject({ constructor: Broken, cause: { message: 'early' } })
  })

  it('is read no further once its taker throws, and its socket stays open', async () => {
    const stream = new PassThrough()
    let taken = 0
    const body = bodyOf(stream).each?.(() => {
      taken += 1
      throw new Error('enough')
    })
    stream.write('one')
    await expect(body).rejects.toThrow('enough')
    stream.write('two')
    await new Promise((done) => setImmediate(done))
    expect([taken, stream.destroyed, stream.listenerCount('data'), stream.isPaused()]).toEqual([1, false, 0, true])
  })

  it('can be iterated, too, and left without closing the socket', async () => {
    const stream = new PassThrough()
    stream.write('one')
    for await (const portion of bodyOf(stream)) {
      expect(Buffer.from(portion).toString()).toBe('one')
      break
    }
    expect(stream.destroyed).toBe(false)
  })
})
