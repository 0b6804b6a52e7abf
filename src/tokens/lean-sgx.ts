import type { SgxClaims } from '../verifiers/tdx/claims.ts'
import { unlessZero, type Detail } from './detail.ts'
import { leanPlatform } from './lean-platform.ts'

/** What relying parties match of an enclave, by the names of the appraisal; REPORTDATA says no more than the nonce and `cnf`. */
export function leanSgx(sgx: SgxClaims, detail: Detail): object {
  return {
    mr_enclave: sgx.mr_enclave,
    mr_signer: sgx.mr_signer,
    isv_prod_id: sgx.isv_prod_id,
    isv_svn: sgx.isv_svn,
    debug: sgx.debug,
    attributes: sgx.attributes,
    ...(detail === 'bare' ? {} : configuration(sgx)),
    ...(detail === 'all' || detail === 'most' ? product(sgx) : {}),
    ...leanPlatform(sgx, detail),
  }
}

/** What the enclave was started with (key separation and sharing), absent where there is none. */
const configuration = (sgx: SgxClaims): object => ({
  misc_select: sgx.misc_select,
  config_id: unlessZero(sgx.config_id),
  config_svn: sgx.config_svn === 0 ? undefined : sgx.config_svn,
})

/** Names that the enclave's author may have given. */
const product = (sgx: SgxClaims): object => ({
  quote_version: sgx.quote_version,
  isv_family_id: unlessZero(sgx.isv_family_id),
  isv_ext_prod_id: unlessZero(sgx.isv_ext_prod_id),
})
