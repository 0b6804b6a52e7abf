/** Every option at its strict value. */
export const strictText = `# Every option at its strict value. It lists no measurement, so it refuses every guest until a policy that extends it does:
# nobody but the operator can know what may run.
name: strict
key_binding: required
snp:
  crl: { mode: require }
`

/** For looking around, never for trusting. */
export const labText = `# A laboratory: shows everything and trusts nothing. Each weakening is named, here and in every token. A service loads it only
# where its configuration lifts debug-guests.
name: lab
key_binding: DANGEROUSLY_OPTIONAL
issue_on: warning
explain: full
snp:
  measurements: DANGEROUSLY_ACCEPT_ANY
  guest_policy: { debug: DANGEROUSLY_ALLOW }
  vmpl: [0, 1, 2, 3]
  permit_provisional_firmware: true
  platform_info: { alias_check: any }
  advisories: { amd-sb-3019: warn }
  crl: { mode: prefer }
tdx:
  mr_td: DANGEROUSLY_ACCEPT_ANY
  td_attributes: { debug: DANGEROUSLY_ALLOW, sept_ve_disable: any }
  accepted_tcb_statuses:
    - UpToDate
    - SWHardeningNeeded
    - ConfigurationNeeded
    - ConfigurationAndSWHardeningNeeded
    - OutOfDate
    - OutOfDateConfigurationNeeded
    - TDRelaunchAdvised
    - TDRelaunchAdvisedConfigurationNeeded
sgx:
  mr_enclave: DANGEROUSLY_ACCEPT_ANY
  debug: DANGEROUSLY_ALLOW
  accepted_tcb_statuses:
    - UpToDate
    - SWHardeningNeeded
    - ConfigurationNeeded
    - ConfigurationAndSWHardeningNeeded
    - OutOfDate
    - OutOfDateConfigurationNeeded
tpm:
  unnamed_boot: DANGEROUSLY_ALLOW
  ek: { bases: [listed, enroller, DANGEROUSLY_ANY_GENUINE_TPM] }
`
