import { readFileSync } from 'node:fs'
import { loadConfig, type Loaded } from '../config.ts'
import type { Flag } from '../config/sources.ts'
import type { Session } from './output.ts'

/** The configuration of this process, as the service would see it; what is odd about it goes to standard error. */
export function configuration(session: Session, flags: readonly Flag[] = []): Loaded {
  const loaded = loadConfig({ environment: session.environment, readText: (path) => readFileSync(path, 'utf8'), flags })
  for (const warning of loaded.warnings) session.note(`assay: ${warning}`)
  return loaded
}

/** Where AMD’s documents are asked for, for commands that need nothing else of the configuration. */
export function configuredKds({ environment }: Session): Loaded['config']['amdKds'] {
  const { ASSAY_AMD_KDS_URL, ASSAY_AMD_KDS_TRANSPORT } = environment
  return loadConfig({ environment: { ASSAY_AMD_KDS_URL, ASSAY_AMD_KDS_TRANSPORT }, readText: () => '' }).config.amdKds
}
