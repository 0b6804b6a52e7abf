import { pino, type Logger } from 'pino'

/** Structured log lines on standard error. The log says everything to operators, but never evidence bytes, tokens, nonces or keys. */
export type Telemetry = Logger

/** A logger; `silent` for tests and one-shot commands. */
export const createLog = (level: 'debug' | 'info' | 'warn' | 'error' | 'silent'): Telemetry =>
  pino({ level, base: { service: 'assay' }, timestamp: pino.stdTimeFunctions.isoTime }, pino.destination({ fd: 2, sync: false }))
