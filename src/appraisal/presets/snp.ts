/** Guests of Amazon EC2 (specification snp.md section 9). */
export const awsSnp = `# SEV-SNP guests of Amazon EC2.
name: aws-snp
evidence: [snp]
key_binding: required
snp:
  # Add what may run: measurements: ['…'], or a set of reference values: measurements: [{set: nodes}].
  # AWS signs with keys of the provider, one for each region.
  allowed_signing_keys: [vlek]
  csp_ids: ['CN=cc-*.amazonaws.com']
  # The running firmware is always ahead of the committed one, so the committed one has a floor of its own
  # (AMD-SB-3019: microcode signature verification).
  permit_provisional_firmware: true
  min_tcb:
    committed:
      milan: { snp: 24 }
      genoa: { snp: 23 }
      turin: any
  crl: { mode: require }
`

/** Guests of Google Compute Engine (section 9). */
export const gcpSnp = `# SEV-SNP guests of Google Compute Engine: reports of the guest itself, signed by the key of the chip.
name: gcp-snp
evidence: [snp]
key_binding: required
snp:
  # Add what may run: measurements: ['…'], or a set of reference values: measurements: [{set: nodes}].
  allowed_signing_keys: [vcek]
  vmpl: [0]
  crl: { mode: require }
`

/** Confidential VMs of Azure, whose paravisor owns VMPL 0 (sections 9 and 13.1). */
export const azureCvm = `# Confidential VMs of Azure with SEV-SNP. The report is one of the paravisor's, and says nothing of the guest
# without the HCL report and a quote of its vTPM.
name: azure-cvm
evidence: [snp]
compositions: [azure-hcl]
key_binding: required
snp:
  # Add what may run: measurements: ['…'], or a set of reference values: measurements: [{set: nodes}].
  vmpl: [0]
  # Microsoft's keys for its paravisor: of 2023, and of 2025 (Milan and Genoa).
  trusted_id_key_digests:
    - '0356215882a825279a85b300b0b742931d113bf7e32dde2e50ffde7ec743ca491ecdd7f336dc28a6e0b2bb57af7a44a3'
    - '942fd93ebde6ea7a96efadeafc60f1c6b3d10e703b1dafd7555b92f7f3d32d0e006767648cba5b102af3d65756af4177'
  permit_provisional_firmware: true
  min_tcb:
    committed:
      milan: { snp: 24 }
      genoa: { snp: 23 }
      turin: any
  crl: { mode: require }
`

/** Guests below the COCONUT secure VM service module (sections 9 and 14). */
export const coconutSvsm = `# Guests below COCONUT-SVSM, which owns VMPL 0; the guest's own reports come from VMPL 2. What the guest measures
# stands in the vTPM of the SVSM, so its quote must come with the report.
name: coconut-svsm
evidence: [snp]
compositions: [coconut-svsm]
key_binding: required
snp:
  # Add what may run: measurements: ['…'], or a set of reference values: measurements: [{set: nodes}].
  vmpl: [0, 2]
  crl: { mode: require }
`
