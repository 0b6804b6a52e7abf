import { fake } from './simulator/amd.ts'

export const planted = fake
