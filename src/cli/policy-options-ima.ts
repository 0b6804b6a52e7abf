import { granted } from './policy-ima-kind.ts'
import * as kind from './policy-kinds.ts'
import type { Option } from './policy-options.ts'

/** Every option about the kernel's list of measured files (specification tpm.md section 12), in the order of the document. */
export const IMA_OPTIONS: readonly Option[] = [
  ['tpm.ima.mode', 'the kernel’s list of measured files', kind.ranked({ require: ['asks', 'required'], off: ['leaves', ''] })],
  ['tpm.ima.digests', 'files that may have run, by path and content', granted],
  ['tpm.ima.excludes', 'paths that are left out whatever they hold', granted],
  ['tpm.ima.keyrings', 'keys that may have been loaded', granted],
  ['tpm.ima.ignored_keyrings', 'keyrings whose keys are not looked at', granted],
  ['tpm.ima.buffers', 'other buffers that may have been measured', granted],
  ['tpm.ima.verification_keys', 'keys whose signature over a file accepts it', granted],
  ['tpm.ima.violations', 'files that were measured while they were written', kind.permission],
  ['tpm.ima.unattested_tail', 'entries behind those that PCR 10 attests, which are not looked at', kind.permission],
  [
    'tpm.ima.boot_aggregate',
    'the list begins with the boot that was quoted',
    kind.ranked({ verify: ['asks', ''], 'if-quoted': ['accepts', 'unless its PCRs are not quoted'], off: ['leaves', ''] }),
  ],
  ['tpm.ima.legacy_padding', 'banks extended by padded SHA-1, as kernels before 5.8 did', kind.permission],
]
