import { expect, it } from 'vitest'
import { planted } from './planted.ts'

it('tries half of it', () => expect(planted(1)).toBe('tried'))
