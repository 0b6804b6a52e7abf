import { describe, expect, it } from 'vitest'
import { hwidBytes, isSupported, productOf } from './products.ts'

describe('productOf', () => {
  it.each([
    [0x19, 0x00, 'Milan'],
    [0x19, 0x01, 'Milan'],
    [0x19, 0x0f, 'Milan'],
    [0x19, 0x10, 'Genoa'],
    [0x19, 0x11, 'Genoa'],
    [0x19, 0x1f, 'Genoa'],
    [0x19, 0x20, undefined],
    [0x19, 0x9f, undefined],
    [0x19, 0xa0, 'Genoa'],
    [0x19, 0xaf, 'Genoa'],
    [0x19, 0xb0, undefined],
    [0x1a, 0x00, 'Turin'],
    [0x1a, 0x02, 'Turin'],
    [0x1a, 0x11, 'Turin'],
    [0x1a, 0x12, undefined],
    [0x1a, 0x4f, undefined],
    [0x1a, 0x50, 'Venice'],
    [0x1a, 0x57, 'Venice'],
    [0x1a, 0x58, undefined],
    [0x1a, 0x90, 'Venice'],
    [0x1a, 0xaf, 'Venice'],
    [0x1a, 0xc0, 'Venice'],
    [0x1a, 0xc7, 'Venice'],
    [0x1a, 0xc8, undefined],
    [0x18, 0x01, undefined],
    [0x1b, 0x01, undefined],
  ])('family %i, model %i is %s', (family, model, product) => expect(productOf(family, model)).toBe(product))
})

describe('isSupported', () => {
  it('is true of products with pinned roots only', () => {
    expect(['Milan', 'Genoa', 'Turin'].map((p) => isSupported(p as 'Milan'))).toEqual([true, true, true])
    expect([isSupported('Venice'), isSupported(undefined)]).toEqual([false, false])
  })
})

describe('hwidBytes', () => {
  it('is 8 on Turin and 64 elsewhere', () => expect([hwidBytes('Milan'), hwidBytes('Genoa'), hwidBytes('Turin')]).toEqual([64, 64, 8]))
})
