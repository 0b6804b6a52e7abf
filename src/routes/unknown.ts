import { AttestationError } from '../verifiers/problems.ts'
import type { Handler, Route } from './call.ts'
import { problemAnswer } from './problem.ts'

/** What answers everything that no route does: 405 with Allow where another method would work, else 404. */
export function unknownAddress(routes: readonly Route[]): Handler {
  const rows = routes.map(({ path, method }) => ({ pattern: pathPattern(path), method }))
  return (call, services) => {
    const methods = rows.filter(({ pattern }) => pattern.test(call.path)).map(({ method }) => method)
    if (methods.length === 0) throw new AttestationError('route-unknown', 'no operation has this address')
    const problem = problemAnswer(new AttestationError('method-not-allowed', 'another method is needed'), {
      issuer: services.issuer,
      requestId: call.requestId,
    })
    return { ...problem, headers: { ...problem.headers, allow: allowed(methods) } }
  }
}

const pathPattern = (path: string): RegExp => new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/\{\w+\}/g, '[^/]+')}$`)

/** HEAD works wherever GET does. */
const allowed = (methods: readonly Route['method'][]): string => methods.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m])).join(', ')
