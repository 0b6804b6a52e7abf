import { caller, serve, type Channel } from '../stores/ipc.ts'
import { auditUnavailable, type AuditLog, type AuditWriter } from './audit.ts'

/** The name of the audit log on the channel between processes. */
const SERVICE = 'audit'

/** Longer than any line. */
const MOST_CHARACTERS = 64 * 1024

/** Writes the lines of a child in the parent: a chain has one writer. */
export function serveAudit(audit: AuditWriter, child: Channel): void {
  serve(child, SERVICE, { append: async (text) => audit.appendText(entryIn(text)) })
}

/** The parent's audit log as a forked child sees it. `append` resolves when the parent has written; it rejects when the parent is gone. */
export function parentAudit(channel: Channel): AuditLog {
  const call = caller(channel, SERVICE)
  return {
    append: async (line) => {
      try {
        await call('append', JSON.stringify(line))
      } catch (error) {
        throw auditUnavailable('the parent process has not written the audit line', error)
      }
    },
    close: async () => {},
  }
}

function entryIn(text: unknown): string {
  if (typeof text !== 'string' || text.length > MOST_CHARACTERS || !/^\{".*\}$/.test(text)) throw new Error('not an audit line')
  return text
}
