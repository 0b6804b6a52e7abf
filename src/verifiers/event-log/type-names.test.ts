import { describe, expect, it } from 'vitest'
import { typeText } from './type-names.ts'

describe('the type of an event', () => {
  it.each([
    [0x4, 'EV_SEPARATOR (0x00000004)'],
    [0x800000e0, 'EV_EFI_VARIABLE_AUTHORITY (0x800000e0)'],
    [0x08000001, 'dstack runtime event (0x08000001)'],
    [0x14, '0x00000014'],
    [0xffffffff, '0xffffffff'],
  ])('%i is told by name where it has one, and by number', (type, text) => expect(typeText(type)).toBe(text))
})
