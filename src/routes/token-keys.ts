import { stateOf } from '../tokens/published-key.ts'
import { json, type Handler } from './call.ts'

/** GET /v1/token-keys: the keys of all replicas that are in the key set, and where each is in its life. Private keys never leave their files. */
export const listTokenKeys: Handler = (_call, { tokens, now }) => {
  const at = now().getTime()
  const keys = tokens.published().map((key) => ({
    kid: key.kid,
    alg: key.alg,
    state: stateOf(key, at),
    signs_from: new Date(key.signsFrom).toISOString(),
    shown_until: new Date(key.shownUntil).toISOString(),
  }))
  return json(200, { keys })
}
