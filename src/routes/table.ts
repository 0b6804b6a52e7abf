import type { Route } from './call.ts'

/** Every route with who may call it. What is not here does not exist; openapi.yaml is made from the same rows. */
export const ROUTES: readonly Route[] = []
