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

const VENDOR_VARIABLE = /^ASSAY_(?:AMD|INTEL)_/

/** Where the vendors’ documents are asked for, for commands that need nothing else of the configuration. */
export function configuredVendors({ environment }: Session): Pick<Loaded['config'], 'amdKds' | 'intel' | 'tpm' | 'mode'> {
  const vendors = Object.fromEntries(Object.entries(environment).filter(([name]) => VENDOR_VARIABLE.test(name)))
  return loadConfig({ environment: vendors, readText: () => '' }).config
}
