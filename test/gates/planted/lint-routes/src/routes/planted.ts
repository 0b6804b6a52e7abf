import { store } from '../stores/memory.ts'

export const planted = store
