import { loadP256Key } from '../access/key-file.ts'
import { loadSecret } from '../access/secrets.ts'
import type { Config, ConfigProblem } from '../config.ts'
import { AK_CA_KEY } from '../enrolment/authority.ts'
import { listedEks } from './enrolment-files.ts'
import { readApiKey, readAuthority } from './intel-files.ts'
import { referenceFolder } from './reference-sets.ts'
import { givenTokenKeys } from '../tokens/key-files.ts'
import { createSecureContext } from 'node:tls'
import { readFileSync } from 'node:fs'

/** The files that a configuration names, read as the service would read them, without making any. */
const FILES: readonly { readonly path: string; readonly read: (config: Config) => unknown }[] = [
  { path: 'secret_file', read: ({ secretFile }) => secretFile !== undefined && loadSecret(secretFile, 'refuse') },
  { path: 'token_key_file', read: ({ tokenKeys: { files }, mode }) => givenTokenKeys({ ES256: files.ES256 }, mode) },
  { path: 'token_key_files', read: ({ tokenKeys: { files }, mode }) => givenTokenKeys({ ...files, ES256: undefined }, mode) },
  {
    path: 'tls_cert',
    read: ({ tls }) => tls !== undefined && createSecureContext({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) }),
  },
  {
    path: 'ak_ca_key_file',
    read: ({ akCaKeyFile: path, mode }) => path !== undefined && loadP256Key({ path, mode, absent: 'refuse', format: AK_CA_KEY }),
  },
  { path: 'tpm.enrolment.ek', read: ({ tpm }) => listedEks(tpm.enrolment) },
  { path: 'reference_dir', read: ({ referenceDir }) => referenceFolder(referenceDir)() },
  { path: 'intel_pccs_ca', read: ({ intel }) => readAuthority(intel) },
  { path: 'intel_pcs_api_key_file', read: ({ intel }) => readApiKey(intel) },
]

/** What is wrong with files that are named: absent, readable by others, or not what they should be. */
export async function fileProblems(config: Config): Promise<readonly ConfigProblem[]> {
  const problems = await Promise.all(FILES.map(async ({ path, read }) => problemOf(path, async () => read(config))))
  return problems.flat()
}

async function problemOf(path: string, read: () => Promise<unknown>): Promise<readonly ConfigProblem[]> {
  try {
    await read()
    return []
  } catch (error) {
    return [{ path, origin: 'file', message: error instanceof Error ? error.message : String(error) }]
  }
}
