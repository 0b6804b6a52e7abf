/** TDs of Google Compute Engine (specification tdx.md sections 6.1 and 8.1). */
export const gcpTdx = `# TDX guests of Google Compute Engine: the firmware measures into the RTMRs.
name: gcp-tdx
evidence: [tdx]
key_binding: required
tdx:
  # Add what may run: mr_td: ['…'], or a set of reference values: mr_td: [{set: firmware}]; likewise rtmr1 and rtmr2.
  accepted_tcb_statuses: [UpToDate]
  td_attributes: { sept_ve_disable: require }
`

/** TDs of Azure, whose paravisor measures into a vTPM (sections 0.7 and 8.4). */
export const azureTdx = `# Confidential VMs of Azure with TDX. The paravisor starts TDs without SEPT_VE_DISABLE and leaves the RTMRs zero; the quote
# says nothing of the guest without the HCL report and a quote of its vTPM.
name: azure-tdx
evidence: [tdx]
compositions: [azure-hcl]
key_binding: required
tdx:
  # Add what may run: mr_td: ['…'], or a set of reference values: mr_td: [{set: paravisor}].
  accepted_tcb_statuses: [UpToDate]
  td_attributes: { sept_ve_disable: azure-paravisor }
`
