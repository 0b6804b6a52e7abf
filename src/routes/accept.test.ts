import { describe, expect, it } from 'vitest'
import { negotiate } from './accept.ts'

const OFFERS = ['application/json', 'application/eat+jwt', 'application/jwt'] as const

describe('negotiation by Accept', () => {
  it.each([
    [undefined, 'application/json'],
    ['', 'application/json'],
    ['*/*', 'application/json'],
    ['application/*', 'application/json'],
    ['application/jwt', 'application/jwt'],
    ['APPLICATION/EAT+JWT', 'application/eat+jwt'],
    ['application/jwt, application/json', 'application/json'],
    ['application/json;q=0.1, application/jwt;q=0.2', 'application/jwt'],
    ['application/json;q=0, */*', 'application/eat+jwt'],
    ['text/html, application/eat+jwt; profile="x"; q=0.5', 'application/eat+jwt'],
    ['text/html,application/xhtml+xml,*/*;q=0.8', 'application/json'],
    ['application/*;q=0.9, application/json;q=0.1', 'application/eat+jwt'],
  ])('%j is answered with %s', (accept, expected) => {
    expect(negotiate(accept, OFFERS)).toBe(expected)
  })

  it.each(['text/html', 'application/json;q=0', '*/*;q=0', 'application', 'application/jwt;q=2', 'application/jwt;q=x'])(
    '%j is refused',
    (accept) => {
      expect(() => negotiate(accept, OFFERS)).toThrow(expect.objectContaining({ code: 'not-acceptable-media-type' }))
    },
  )
})
