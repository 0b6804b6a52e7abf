import type { Problem } from '../problems.ts'

const malformed = (title: string, remedy: string) => ({ kind: 'malformed', title, remedy }) as const
const forged = (title: string, remedy: string) => ({ kind: 'not-genuine', title, remedy }) as const
const refused = (title: string, remedy: string) => ({ kind: 'not-acceptable', title, remedy }) as const
const undecided = (title: string, remedy: string) => ({ kind: 'undecided', title, remedy }) as const

const RAW = 'Send the bytes exactly as the guest driver gave them.'
const SIMULATED = 'Send evidence of a real AMD processor; nothing but AMD’s pinned keys is trusted.'
const OPERATOR_LIST = 'Operator: refresh the revocation lists (`assay collateral import`, or reach the vendor).'
const GUEST_POLICY = 'Start the guest with a policy that the appraisal policy accepts.'
const HOST_CONFIG = 'The host’s owner must change its firmware configuration.'
const FIRMWARE = 'Update the host’s firmware, commit it, and start the guest again.'
const ALLOW_LIST = 'Start what the policy lists, or have the operator add this value to the policy.'

/** Problems of SEV-SNP evidence in rank order (specification snp.md section 15): root, intermediate, lists, certificate, report, policy. */
export const SNP_PROBLEMS = {
  'snp-root-untrusted': forged('The root certificate is not AMD’s', SIMULATED),
  'snp-root-revoked': forged(
    'The root is on its own revocation list',
    'Operator: AMD has withdrawn this product’s root; stop trusting the product.',
  ),
  'snp-intermediate-revoked': forged(
    'The intermediate that signed the endorsement key is revoked',
    'Have the host provisioned with a key under an intermediate that is not revoked.',
  ),
  'snp-crl-signature': undecided('A revocation list is not signed by the pinned root', OPERATOR_LIST),
  'snp-crl-issuer': undecided('A revocation list was issued by another authority', OPERATOR_LIST),
  'snp-crl-rollback': undecided('A revocation list is older than one that was seen before', OPERATOR_LIST),
  'snp-crl-not-yet-valid': undecided('A revocation list is not valid yet', 'Operator: check the clock.'),
  'snp-crl-expired': undecided('A revocation list has expired', OPERATOR_LIST),
  'snp-crl-unavailable': undecided('A revocation list that the policy asks for is not at hand', OPERATOR_LIST),
  'snp-chain-invalid': forged('The endorsement key is not signed by AMD’s pinned intermediate', SIMULATED),
  'snp-cert-expired': forged(
    'A certificate of the chain has expired',
    'Fetch a current endorsement certificate and send it with the evidence.',
  ),
  'snp-cert-not-yet-valid': forged('A certificate of the chain is not valid yet', 'Operator: check the clock.'),
  'snp-vek-algorithm': forged('The endorsement certificate uses another algorithm than AMD’s', SIMULATED),
  'snp-vek-subject': forged('The endorsement certificate does not carry AMD’s names', SIMULATED),
  'snp-vek-kind-mismatch': forged(
    'The certificate and the report name different kinds of endorsement key',
    'Send the VCEK for a report signed by a VCEK, the VLEK for one signed by a VLEK.',
  ),
  'snp-product-mismatch': forged(
    'Report, certificate and chain belong to different products',
    'Send the certificate of the processor that made the report.',
  ),
  'snp-vek-extension-invalid': forged('An extension of the endorsement certificate is missing, doubled, unknown or not DER', SIMULATED),
  'snp-vcek-hwid-missing': forged('The VCEK names no chip', SIMULATED),
  'snp-vlek-csp-id-invalid': forged('The VLEK names no provider, or also a chip', SIMULATED),
  'snp-vcek-hwid-mismatch': forged('The VCEK belongs to another chip', 'Send the VCEK of the chip that made the report.'),
  'snp-vek-tcb-mismatch': forged(
    'The endorsement key was derived for another TCB than the report states',
    'Fetch the certificate for REPORTED_TCB; a host that changed firmware needs a new one.',
  ),
  'snp-vek-missing': forged(
    'No endorsement certificate for this report',
    'Send the VCEK or VLEK with the evidence (cert_table or certificates).',
  ),
  'snp-signature-invalid': forged(
    'The report is not signed by the endorsement key',
    'The report was changed or made elsewhere. Send the bytes exactly as the guest driver gave them.',
  ),
  'snp-chip-id-masked': forged(
    'The host masks the chip id, so the report cannot be tied to the VCEK’s chip',
    'Unmask the chip id on the host, or have the policy allow masked chips.',
  ),
  'snp-report-data-mismatch': forged(
    'REPORT_DATA is not the value that this request binds',
    'Compute REPORT_DATA with `assay bind` from the same nonce, key, runtime data and audience that are posted.',
  ),
  'snp-report-data-profile-invalid': forged(
    'The expected report data has a length that its profile does not allow',
    'Give exactly 64 bytes.',
  ),

  'snp-report-size': malformed('The report is not 1184 bytes long', RAW),
  'snp-envelope-not-raw': malformed('The evidence is a parsed or wrapped form instead of the signed bytes', RAW),
  'snp-report-version-unsupported': malformed(
    'The report version is none of 2 to 5',
    'Update Assay, or the host’s firmware if the version is 1.',
  ),
  'snp-reserved-nonzero': malformed('Reserved bytes of the report are set', RAW),
  'snp-policy-reserved-bits': malformed('Reserved bits of POLICY are wrong', RAW),
  'snp-signature-algo-unsupported': malformed('SIGNATURE_ALGO is not ECDSA P-384 with SHA-384', RAW),
  'snp-key-info-reserved-bits': malformed('Reserved bits of KEY_INFO are set', RAW),
  'snp-signing-key-reserved': malformed('SIGNING_KEY has a reserved value', RAW),
  'snp-report-unsigned': malformed('The report is not signed', 'Have the host’s firmware sign reports (MASK_CHIP_KEY off).'),
  'snp-vmpl-out-of-range': malformed(
    'VMPL is above 3: the report was asked for by the host, not by a guest',
    'Ask for the report from inside the guest.',
  ),
  'snp-signature-out-of-range': malformed('The signature’s R or S is zero, too large or padded', RAW),
  'snp-tcb-malformed': malformed('A TCB version has reserved bytes set or a part above its maximum', RAW),
  'snp-cert-table-malformed': malformed(
    'The certificate table is not well-formed',
    'Send the table exactly as the extended guest request gave it.',
  ),
  'snp-cert-table-duplicate': malformed(
    'The certificate table repeats an entry, or entries overlap',
    'Have the host’s owner mend the certificate table.',
  ),
  'snp-certificate-malformed': malformed(
    'A certificate is not exactly one DER certificate or one PEM block',
    'Send each certificate as one PEM block or as base64 of its DER.',
  ),
  'snp-id-block-inconsistent': malformed('AUTHOR_KEY_EN, ID_KEY_DIGEST and AUTHOR_KEY_DIGEST contradict each other', RAW),
  'snp-product-unknown': malformed('The processor family and model are not known', 'Update Assay.'),
  'snp-product-unsupported': malformed('AMD’s keys for this product are not pinned', 'Update Assay when it supports this product.'),
  'snp-chip-id-malformed': malformed('CHIP_ID of a Turin processor has more than 8 bytes set', RAW),

  'snp-report-version-below-minimum': refused('The report version is below the policy’s minimum', FIRMWARE),
  'snp-signing-key-forbidden': refused(
    'The policy does not accept this kind of endorsement key',
    'Use a host whose reports are signed by an accepted kind of key.',
  ),
  'snp-csp-id-untrusted': refused('The VLEK’s provider is not on the policy’s list', ALLOW_LIST),
  'snp-vek-denied': refused('The policy denies this chip or this endorsement key', 'Move the guest to another host.'),
  'snp-tcb-reported-above-current': refused('REPORTED_TCB is above CURRENT_TCB', HOST_CONFIG),
  'snp-tcb-committed-above-current': refused('COMMITTED_TCB is above CURRENT_TCB', HOST_CONFIG),
  'snp-tcb-reported-above-committed': refused(
    'REPORTED_TCB is above COMMITTED_TCB, so it can be rolled back',
    'The host’s owner must commit its firmware.',
  ),
  'snp-tcb-reported-below-minimum': refused('REPORTED_TCB is below the policy’s minimum', FIRMWARE),
  'snp-tcb-committed-below-minimum': refused('COMMITTED_TCB is below the policy’s minimum', FIRMWARE),
  'snp-tcb-current-below-minimum': refused('CURRENT_TCB is below the policy’s minimum', FIRMWARE),
  'snp-tcb-launch-below-minimum': refused(
    'LAUNCH_TCB is below the policy’s minimum: the guest has run on older firmware',
    'Start the guest again on the updated host.',
  ),
  'snp-firmware-provisional': refused(
    'The running firmware is not the committed one',
    'The host’s owner must commit its firmware, or the policy permits provisional firmware.',
  ),
  'snp-firmware-version-too-low': refused('The SNP firmware’s version is below the policy’s minimum', FIRMWARE),
  'snp-advisory-amd-sb-3019': refused('The host lacks the firmware that closes AMD-SB-3019 (microcode signature verification)', FIRMWARE),
  'snp-advisory-amd-milan-vcek-seed-extraction': refused(
    'The policy refuses Milan, whose VCEK seeds can be extracted',
    'Use Genoa or Turin, or list the chips that are under known custody.',
  ),
  'snp-mitigation-launch-missing': refused('LAUNCH_MIT_VECTOR lacks a mitigation that the policy requires', FIRMWARE),
  'snp-mitigation-current-missing': refused('CURRENT_MIT_VECTOR lacks a mitigation that the policy requires', FIRMWARE),
  'snp-mitigation-lost': refused('A mitigation of the launch is no longer in force', HOST_CONFIG),
  'snp-measurement-mismatch': refused('The launch measurement is not on the policy’s list', ALLOW_LIST),
  'snp-measurement-policy-missing': refused(
    'The policy lists no launch measurement',
    'Operator: list the accepted measurements under `snp.measurements`, or write DANGEROUSLY_ACCEPT_ANY there.',
  ),
  'snp-host-data-mismatch': refused('HOST_DATA is not on the policy’s list', ALLOW_LIST),
  'snp-family-id-mismatch': refused('FAMILY_ID is not on the policy’s list', ALLOW_LIST),
  'snp-image-id-mismatch': refused('IMAGE_ID is not on the policy’s list', ALLOW_LIST),
  'snp-report-id-mismatch': refused('REPORT_ID is not on the policy’s list', ALLOW_LIST),
  'snp-report-id-ma-mismatch': refused('REPORT_ID_MA is not on the policy’s list', ALLOW_LIST),
  'snp-guest-svn-too-low': refused('GUEST_SVN is below the policy’s minimum', 'Start a newer release of the guest.'),
  'snp-id-block-required': refused('The policy requires an ID block', 'Start the guest with a signed ID block.'),
  'snp-id-key-untrusted': refused('The ID key is not on the policy’s list', ALLOW_LIST),
  'snp-author-key-required': refused('The policy requires an author key', 'Start the guest with an author key in its ID authentication.'),
  'snp-author-key-untrusted': refused('The author key is not on the policy’s list', ALLOW_LIST),
  'snp-policy-value-mismatch': refused('POLICY is none of the values that the policy lists', GUEST_POLICY),
  'snp-policy-abi-too-low': refused('The guest’s minimum ABI version is too low', GUEST_POLICY),
  'snp-policy-smt-allowed': refused('The guest allows SMT', GUEST_POLICY),
  'snp-policy-migrate-ma-allowed': refused('The guest allows migration by an agent', GUEST_POLICY),
  'snp-policy-debug-allowed': refused('The guest can be debugged by its host', 'Start the guest without the DEBUG bit in its policy.'),
  'snp-policy-cxl-allowed': refused('The guest allows CXL memory', GUEST_POLICY),
  'snp-policy-single-socket-missing': refused('The guest does not insist on a single socket', GUEST_POLICY),
  'snp-policy-aes256-xts-missing': refused('The guest does not insist on AES-256-XTS', GUEST_POLICY),
  'snp-policy-rapl-dis-missing': refused('The guest does not insist that RAPL is disabled', GUEST_POLICY),
  'snp-policy-ciphertext-hiding-missing': refused('The guest does not insist on ciphertext hiding', GUEST_POLICY),
  'snp-policy-page-swap-disable-missing': refused('The guest does not insist that page swapping is disabled', GUEST_POLICY),
  'snp-platform-smt-forbidden': refused('SMT is enabled on the host', HOST_CONFIG),
  'snp-platform-smt-missing': refused('SMT is not enabled on the host', HOST_CONFIG),
  'snp-platform-tsme-forbidden': refused('TSME is enabled on the host', HOST_CONFIG),
  'snp-platform-tsme-missing': refused('TSME is not enabled on the host', HOST_CONFIG),
  'snp-platform-ecc-forbidden': refused('ECC memory is in use on the host', HOST_CONFIG),
  'snp-platform-ecc-missing': refused('ECC memory is not in use on the host', HOST_CONFIG),
  'snp-platform-rapl-forbidden': refused('RAPL is disabled on the host, which the policy forbids', HOST_CONFIG),
  'snp-platform-rapl-missing': refused('RAPL is not disabled on the host', HOST_CONFIG),
  'snp-platform-ciphertext-hiding-forbidden': refused('Ciphertext hiding is enabled on the host, which the policy forbids', HOST_CONFIG),
  'snp-platform-ciphertext-hiding-missing': refused('Ciphertext hiding is not enabled on the host', HOST_CONFIG),
  'snp-platform-alias-check-forbidden': refused('The alias check was made, which the policy forbids', HOST_CONFIG),
  'snp-platform-alias-check-missing': refused(
    'The firmware has not checked memory for aliases since the last reset',
    'Update the host’s SEV firmware (1.55.22 on Milan, 1.55.38 on Genoa, or later) and reset it.',
  ),
  'snp-platform-tio-forbidden': refused('SEV-TIO is enabled on the host', HOST_CONFIG),
  'snp-platform-tio-missing': refused('SEV-TIO is not enabled on the host', HOST_CONFIG),
  'snp-platform-unknown-bits': refused(
    'PLATFORM_INFO has bits set that nobody has documented',
    'Have the policy allow unknown bits, or update Assay.',
  ),
  'snp-vmpl-mismatch': refused(
    'The report was asked for from a VMPL that the policy does not accept',
    'Ask for the report from an accepted VMPL.',
  ),
  'snp-chip-id-mismatch': refused(
    'The chip is not on the policy’s list',
    'Move the guest to a listed host, or have the operator list this chip.',
  ),
  'snp-chip-id-unavailable': refused(
    'The policy lists chips, but this evidence names none',
    'Use VCEK evidence for a policy that lists chips.',
  ),
  'snp-migration-agent-present': refused('A migration agent is bound to the guest', 'Start the guest without a migration agent.'),
} as const satisfies Record<string, Problem>
