/**
 * Loaded into a service that is measured (`--import`): on SIGUSR2 it writes how late its event loop was since the last time, in milliseconds,
 * into the file that BENCH_DELAY_FILE names.
 */
import { writeFileSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/** What the timer of the measurement itself waits; it is part of every value, and taken off. */
const RESOLUTION_MS = 1

const late = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - RESOLUTION_MS)

const file = process.env['BENCH_DELAY_FILE']
if (file !== undefined) {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS })
  delays.enable()
  process.on('SIGUSR2', () => {
    writeFileSync(file, JSON.stringify({ p50: late(delays.percentile(50)), p99: late(delays.percentile(99)), most: late(delays.max) }))
    delays.reset()
  })
}
