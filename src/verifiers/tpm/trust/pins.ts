import type { TpmAnchor, TpmRole } from '../anchors.ts'

/** Vendor ids (TCG vendor id registry) as the subject alternative name of an endorsement certificate has them, 8 lower-case hex digits. */
const VENDOR = {
  amd: '414d4400',
  google: '474f4f47',
  infineon: '49465800',
  intel: '494e5443',
  microsoft: '4d534654',
  nationz: '4e545a00',
  nsing: '4e534700',
  nuvoton: '4e544300',
  st: '53544d20',
} as const

/** One bundle: who it is, what its authorities may vouch for, and the SHA-256 of their certificates. */
type Bundle = {
  readonly roles: readonly TpmRole[]
  readonly manufacturers: readonly string[]
  readonly sha256: Readonly<Record<string, string>>
}

const ek = (vendor: string, sha256: Bundle['sha256']): Bundle => ({ roles: ['ek'], manufacturers: [vendor], sha256 })

/**
 * Authorities of clouds and TPM manufacturers (specification tpm.md section 18), by name. None is trusted until the operator names its bundle.
 * Only fingerprints are kept here; certificates are configured, or come with the evidence. docs/tpm-roots.md tells where each is had.
 */
export const TPM_BUNDLES = {
  google: {
    roles: ['ak', 'ek'],
    manufacturers: [VENDOR.google],
    sha256: {
      'EK/AK CA Root': '594759594b9b61524f6c8ef668f7177f7b9066bc0674f2f49fe9e052be78beb2',
      'tpm_ek_v1_cloud_host_root-signer-0-2018-04-06': '9bd5285f8fb18502a7947e621ffd470266f49fcd3b73e19a190f690ad32a7caf',
    },
  },
  // There are no endorsement certificates on Azure. The second ended on 2026-05-24.
  azure: {
    roles: ['ak'],
    manufacturers: [],
    sha256: {
      'Azure Virtual TPM Root Certificate Authority 2023': 'e6c596b17f8ffefba5c300f714cfb1260c6028704ecf7becc4ab5018efb00e95',
      ameroot: 'ea76599d86897382aa519ff2bc0fa6b9c15d60da2ebe53e72139cd317b0797ed',
    },
  },
  amd: ek(VENDOR.amd, {
    'AMD Pluton Global Factory ICA': '593a1794f9e17476c7ad427d2908a97c451451c9e0939fdc80d5d662c232d401',
    'AMDTPM (ECC)': '14aac9fd58471a612afd75d8c0955daf99f091b1863702f9e0d4113faf234f9d',
    'AMDTPM (RSA)': '67bd2472a546751caca5f358a78f80727531671338960a9bcfdfbe6a34d0c6a1',
  }),
  infineon: ek(VENDOR.infineon, {
    'OPTIGA(TM) ECC Root CA': 'cfeb02fecd55ad7a73c6e1d11985d4c47dee248ab63dcb66091a2489660443c3',
    'OPTIGA(TM) ECC Root CA 2': 'ee0c827555c4e9012037df4257bb8aaa26084a17b13ede41cd7895c8d6c11190',
    'OPTIGA(TM) RSA Root CA': '899e35474c9807eb4c7f2f7a12da0028fb250cd02154d0009fca7d9c66574f3b',
    'OPTIGA(TM) RSA Root CA 2': 'b413c71580af3ec5efe83fad31db2d4af4612355e3b01e50903b10763d738894',
  }),
  intel: ek(VENDOR.intel, {
    'www.intel.com (OnDie CA Root)': 'beb40bb7507b33967226aa80e084749fbb6593893c642e818d682e9a8d07fc24',
    'www.intel.com (TPM EK root)': '2e1b3ba79af56d758be51697621bc4b9e8cee0983db3e749c55eb9b37c6d2ae0',
  }),
  microsoft: ek(VENDOR.microsoft, {
    'Microsoft Pluton Root CA 2021': '32ab5fe7cb4396659fcb621ca14c6fb8fc2420f64050637d77e45a86c5d3916e',
    'Microsoft TPM Root Certificate Authority 2014': '870c7a35ceab3d59979f2c6a524042d404cb71518004350925fb2ced79a999da',
  }),
  // An authority that is no root; its own issuer is not published.
  nationz: ek(VENDOR.nationz, {
    'Nationz TPM Manufacturing CA 001': '44afc4b65d4f617143cf3085637e88e6ecc7710f9594b37f65a3dea82d300ba3',
  }),
  nsing: ek(VENDOR.nsing, {
    'NSING TPM ECC ROOT CA 001': '6ccf8a8a803d07a002a15d4889ffa0b125e4a82a1fe4211db3c6e8592919f9dc',
    'NSING TPM RSA ROOT CA 001': '72ca00612395af027cd84c5514219f110e964dfa0bfc1efbb3ac147e3b173971',
  }),
  nuvoton: ek(VENDOR.nuvoton, {
    'NPCTxxx ECC521 RootCA': '083e7bd13e8fe0bb9b0c64db9e0c8356681df65714d2d5c4925eb98ae1369d40',
    'Nuvoton TPM Root CA 1110': '2782e51a95e86d9557fe4204316cf805bd6f5898f81f9732e944d742bcdc5f54',
    'Nuvoton TPM Root CA 1111': 'e38c280f7c0e0b49f31efc7531032bb6a86c3fba4eb89beb1d510eaa4510ae4a',
    'Nuvoton TPM Root CA 2111': 'cd8185ff8995ed09811970090a8c36fafab34ef87f47fa51fdb9ecf95c9c2e04',
    'Nuvoton TPM Root CA 2112': '66e3a1013d4f697700f731e7d68c69b58351f90ec9580d85862d020ab4abf1af',
    NuvotonTPMRootCA1210: 'ba70a6ea7b77c7fee8947a07b1e70e0b26d39ce5e6307f63d5e4b9507f19a157',
    NuvotonTPMRootCA2210: 'fc61abbc18100f460205ebe09d8c3e6995ac2be2234344a7facb62e15f9a7584',
    NuvotonTPMRootCA2211: '2bbc5db224b8f28a6d2cf336d4da7ab21c8c490e3d60ef497801dc0b6ac00227',
  }),
  st: ek(VENDOR.st, {
    'GlobalSign TPM ECC Root CA': '5a8c7b5eb888cfce9322068e80e82b28b554ffeb7fdc9638dcb3763077401d26',
    'GlobalSign TPM Root CA': 'f27bf02c6e00c73d915eeb6a6a2f5fbf0c31ae0393149e6b5c31e41b113841c3',
    'STM TPM ECC Root CA 01': 'c541d7e5b9e3f935621acbd403896225ec641036c9ae3b5f7ac793a606ff9b79',
    'STM TPM EK Root CA': 'f8e37a86b689a20a6cc0c40cc3f81fb130fa9f44ce7ffa60d62590aaf87273a9',
    'STSAFE ECC Root CA 02': 'fd1e7b68accd825636b27b3177c67402d463a7f04c97b6c47ab705fcdc1a04f6',
    'STSAFE RSA Root CA 02': 'c8f179943356e13d9d84b100201cefabbf408880241e5329e60d950ce1dea623',
  }),
} as const satisfies Record<string, Bundle>

/** The name of a bundle of pinned authorities. */
export type TpmBundleName = keyof typeof TPM_BUNDLES

/** The names of all bundles. */
export const TPM_BUNDLE_NAMES: readonly TpmBundleName[] = [
  'google',
  'azure',
  'amd',
  'infineon',
  'intel',
  'microsoft',
  'nationz',
  'nsing',
  'nuvoton',
  'st',
]

/** The anchors of a bundle. */
export function pinnedTpmAnchors(name: TpmBundleName): readonly TpmAnchor[] {
  const { roles, manufacturers, sha256 } = TPM_BUNDLES[name]
  return Object.values(sha256).map((digest) => ({ sha256: digest, roles, authority: name, manufacturers, origin: 'pinned' }))
}
