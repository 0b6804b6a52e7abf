import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import type { Channel } from '../stores/ipc.ts'
import { AttestationError } from '../verifiers/problems.ts'
import type { AuditLine, AuditWriter } from './audit.ts'
import { parentAudit, serveAudit } from './parent-audit.ts'

/** Both ends of a channel between processes, in one. */
function channel(): { readonly parent: Channel; readonly child: Channel; readonly cut: () => void } {
  const [up, down] = [new EventEmitter(), new EventEmitter()]
  let connected = true
  const end = (hears: EventEmitter, says: EventEmitter): Channel => ({
    get connected() {
      return connected
    },
    send: (message) => says.emit('message', structuredClone(message)),
    on: (event, listener) => hears.on(event, listener),
  })
  const cut = () => {
    connected = false
    down.emit('disconnect')
  }
  return { parent: end(up, down), child: end(down, up), cut }
}

const line: AuditLine = {
  time: '2026-11-24T08:00:00.000Z',
  request_id: 'one',
  action: 'appraisal',
  outcome: 'refused',
  caller: '192.0.2.0/24',
  code: 'snp-vmpl-mismatch\n',
}

const writer = (appendText: AuditWriter['appendText']): AuditWriter => ({
  appendText,
  append: () => Promise.reject(new Error('nobody asks this')),
  close: async () => {},
})
const unavailable = expect.objectContaining({ code: 'audit-unavailable', retryAfter: 10 })

describe('the audit log of a child', () => {
  it('is the one of its parent: a line is written when append resolves', async () => {
    const { parent, child } = channel()
    const texts: string[] = []
    serveAudit(
      writer(async (text) => void texts.push(text)),
      parent,
    )
    const audit = parentAudit(child)
    await audit.append(line)
    await audit.append({ ...line, request_id: 'two' })
    await audit.close()
    expect(texts.map((text): unknown => JSON.parse(text))).toEqual([line, { ...line, request_id: 'two' }])
  })

  it.each<[string, AuditWriter['appendText']]>([
    ['cannot write', () => Promise.reject(new AttestationError('audit-unavailable', 'the disk is full'))],
    ['fails', () => Promise.reject(new TypeError('a fault'))],
  ])('cannot be written when the parent %s', async (_, appendText) => {
    const { parent, child } = channel()
    serveAudit(writer(appendText), parent)
    await expect(parentAudit(child).append(line)).rejects.toEqual(unavailable)
  })

  it('cannot be written without the parent', async () => {
    const { parent, child, cut } = channel()
    serveAudit(
      writer(() => new Promise(() => {})),
      parent,
    )
    const pending = parentAudit(child).append(line)
    setTimeout(cut, 20)
    await expect(pending).rejects.toEqual(unavailable)
    await expect(parentAudit(child).append(line)).rejects.toEqual(unavailable)
  })

  it.each([['{"a":1}\n{"b":2}'], ['text'], ['{}'], [7], [null], [`{"a":"${'x'.repeat(70_000)}"}`]])(
    'takes one entry at a time, and nothing else: %j',
    async (text) => {
      const { parent, child } = channel()
      const texts: string[] = []
      serveAudit(
        writer(async (written) => void texts.push(written)),
        parent,
      )
      const answered = new Promise((resolve) => child.on('message', resolve))
      child.send?.({ assay: 'audit', calls: [{ id: 1, op: 'append', args: [text] }] })
      expect(await answered).toMatchObject({ replies: [{ id: 1, failure: { detail: 'not an audit line' } }] })
      expect(texts).toEqual([])
    },
  )
})
