import { labText, strictText } from './general.ts'
import type { PresetName } from './names.ts'
import { awsSnp, azureCvm, coconutSvsm, gcpSnp } from './snp.ts'
import { azureTdx, gcpTdx } from './tdx.ts'

/** Every preset as its document is written, with comments: what `assay policy presets` prints. */
export const PRESET_TEXTS: Readonly<Record<PresetName, string>> = {
  strict: strictText,
  'azure-cvm': azureCvm,
  'aws-snp': awsSnp,
  'gcp-snp': gcpSnp,
  'gcp-tdx': gcpTdx,
  'azure-tdx': azureTdx,
  'coconut-svsm': coconutSvsm,
  lab: labText,
}
