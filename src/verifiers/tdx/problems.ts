import type { Problem } from '../problems.ts'

const malformed = (title: string, remedy: string) => ({ kind: 'malformed', title, remedy }) as const
const forged = (title: string, remedy: string) => ({ kind: 'not-genuine', title, remedy }) as const
const refused = (title: string, remedy: string) => ({ kind: 'not-acceptable', title, remedy }) as const
const undecided = (title: string, remedy: string) => ({ kind: 'undecided', title, remedy }) as const

const RAW = 'Send the quote exactly as the platform gave it.'
const FOREIGN = 'Send evidence of a real Intel processor; nothing but Intel’s pinned root is trusted.'
const CHANGED = 'The quote was changed or made elsewhere. Send it exactly as the platform gave it.'
const COLLATERAL = 'Operator: refresh Intel’s collateral (`assay collateral import`, or reach the vendor).'
const CLOCK = 'Operator: check the clock.'
const PLATFORM = 'Have the host’s owner update the platform (microcode, TDX module) and start the TD again.'
const GUEST = 'Start the TD with attributes that the policy accepts.'
const HOST_CONFIG = 'The host’s owner must change the platform’s configuration.'
const ALLOW_LIST = 'Start what the policy lists, or have the operator add this value to the policy.'
const LOG = 'Send the log exactly as the guest’s kernel or runtime gives it, from the same boot as the quote.'

/** Problems of TDX and SGX quotes in the order of specification tdx.md section 5, so that the first of several is the one nearest the root of trust. */
export const TDX_PROBLEMS = {
  // Structure (TDX-01 to 17).
  'tdx-quote-too-short': malformed('The quote is shorter than any quote', RAW),
  'tdx-quote-too-large': malformed('The quote is longer than any quote', RAW),
  'tdx-quote-version-unsupported': malformed('The quote has a version that is not known', 'Send a quote of version 3 (SGX), 4 or 5.'),
  'tdx-attestation-key-type-unsupported': malformed(
    'The attestation key is not ECDSA P-256',
    'Send a quote signed with ECDSA P-256 (type 2).',
  ),
  'tdx-tee-type-unsupported': malformed('The quote is neither of TDX nor of SGX', 'Send a quote of TDX (0x81) or SGX (0).'),
  'tdx-tee-type-mismatch': malformed(
    'The TEE type does not go with the quote or with the type of evidence',
    'Send TDX quotes as `tdx`, SGX quotes as `sgx`.',
  ),
  'tdx-qe-vendor-id-unknown': malformed('The quote was not made by Intel’s quoting enclave', FOREIGN),
  'tdx-header-reserved-nonzero': malformed('Reserved bytes of the header are not zero', RAW),
  'tdx-body-type-unsupported': malformed('The quote has a body of a type that is not known', RAW),
  'tdx-body-size-mismatch': malformed('The body has another size than its type', RAW),
  'tdx-body-type-tee-mismatch': malformed('The body does not belong to this TEE type', RAW),
  'tdx-auth-data-truncated': malformed('The quote ends inside its signature data', RAW),
  'tdx-certification-data-type-unsupported': malformed('The outer certification data is not of type 6', RAW),
  'tdx-certification-data-size-mismatch': malformed('The certification data has another size than declared', RAW),
  'tdx-qe-auth-data-truncated': malformed('The quote ends inside the data of the quoting enclave', RAW),
  'tdx-qe-certification-data-size-mismatch': malformed('The inner certification data has another size than declared', RAW),
  'tdx-pck-certification-type-unsupported': malformed(
    'The quote holds no PCK certificate chain',
    'Send the chain in `certificates`, leaf first, or configure the host to put it into its quotes (certification data type 5).',
  ),
  'tdx-quote-trailing-data': malformed('Something other than up to 16 KiB of zeros follows the quote', RAW),
  'tdx-pck-chain-malformed': malformed('The PCK chain is not clean PEM of certificates', RAW),

  // The PCK chain (TDX-19 to 26, 30).
  'tdx-pck-chain-incomplete': forged('The PCK chain is not leaf, Intel’s PCK CA and root, in this order', RAW),
  'tdx-root-ca-untrusted': forged('The root certificate is not Intel’s', FOREIGN),
  'tdx-intermediate-ca-invalid': forged('The PCK CA is not signed by Intel’s root', FOREIGN),
  'tdx-pck-cert-invalid-signature': forged('The PCK certificate is not signed by the PCK CA', FOREIGN),
  'tdx-certificate-constraints-violated': forged('A certificate is used for what it may not be used for', FOREIGN),
  'tdx-certificate-extensions-missing': forged('A certificate lacks an extension that Intel’s certificates have', FOREIGN),
  'tdx-certificate-algorithm-unsupported': forged('A certificate is not ECDSA P-256 with SHA-256', FOREIGN),
  'sgx-extension-missing': forged('The PCK certificate lacks the SGX extension or a part of it', FOREIGN),
  'sgx-extension-malformed': forged('The SGX extension of the PCK certificate does not follow its specification', FOREIGN),
  'tdx-certificate-not-yet-valid': forged('A certificate is not valid yet', CLOCK),
  'tdx-certificate-expired': forged(
    'A certificate has expired',
    'Have the host fetch a current PCK certificate; operator: refresh Intel’s collateral.',
  ),

  // The quote itself (TDX-44 to 46, 52).
  'tdx-attestation-key-invalid': forged('The attestation key is no point of P-256', CHANGED),
  'tdx-qe-report-invalid-signature': forged('The report of the quoting enclave is not signed by the PCK', CHANGED),
  'tdx-qe-report-data-mismatch': forged('The quoting enclave does not vouch for this attestation key', CHANGED),
  'tdx-quote-invalid-signature': forged('The quote is not signed by the attestation key', CHANGED),

  // Revocation (TDX-27 to 29, 31). What was found on a list stands before whatever is wrong with another document.
  'tdx-intermediate-ca-revoked': forged('Intel has revoked the PCK CA', 'Have the host provisioned anew.'),
  'tdx-pck-cert-revoked': forged('Intel has revoked the PCK certificate of this platform', 'Do not use this platform; ask its owner.'),
  'tdx-tcb-signing-cert-revoked': forged('Intel has revoked the key that signed the TCB collateral', COLLATERAL),
  'tdx-root-crl-missing': undecided('The root’s revocation list is not at hand', COLLATERAL),
  'tdx-root-crl-malformed': undecided('The root’s revocation list cannot be read', COLLATERAL),
  'tdx-root-crl-issuer-mismatch': undecided('The root’s revocation list was issued by another authority', COLLATERAL),
  'tdx-root-crl-invalid-signature': undecided('The root’s revocation list is not signed by Intel’s root', COLLATERAL),
  'tdx-root-crl-extensions-missing': undecided('The root’s revocation list lacks an extension', COLLATERAL),
  'tdx-pck-crl-missing': undecided('The PCK revocation list is not at hand', COLLATERAL),
  'tdx-pck-crl-malformed': undecided('The PCK revocation list cannot be read', COLLATERAL),
  'tdx-pck-crl-issuer-mismatch': undecided('The PCK revocation list was issued by another authority than the PCK certificate', COLLATERAL),
  'tdx-pck-crl-invalid-signature': undecided('The PCK revocation list is not signed by the PCK CA', COLLATERAL),
  'tdx-pck-crl-extensions-missing': undecided('The PCK revocation list lacks an extension', COLLATERAL),
  'tdx-crl-not-yet-valid': undecided('A revocation list is not valid yet', CLOCK),
  'tdx-crl-expired': undecided('A revocation list has expired', COLLATERAL),

  // TCB collateral (TDX-32 to 39, 59).
  'tdx-tcb-signing-chain-invalid': undecided('The chain of the TCB signing key does not end in Intel’s root', COLLATERAL),
  'tdx-tcb-info-malformed': undecided('The TCB info does not follow its specification', COLLATERAL),
  'tdx-tcb-info-invalid-signature': undecided(
    'The TCB info is not signed by Intel',
    'Operator: keep the document byte for byte as Intel serves it, and refresh it.',
  ),
  'tdx-tcb-info-version-unsupported': undecided('The TCB info has a version that is not known', COLLATERAL),
  'tdx-tcb-status-unrecognized': undecided(
    'A TCB status in the collateral is not known',
    'Operator: update this service; Intel has introduced a status.',
  ),
  'tdx-qe-identity-malformed': undecided('The QE identity does not follow its specification', COLLATERAL),
  'tdx-qe-identity-invalid-signature': undecided(
    'The QE identity is not signed by Intel',
    'Operator: keep the document byte for byte as Intel serves it, and refresh it.',
  ),
  'tdx-tcb-info-not-yet-valid': undecided('The TCB info is not valid yet', CLOCK),
  'tdx-tcb-info-expired': undecided('The TCB info has expired', COLLATERAL),
  'tdx-qe-identity-not-yet-valid': undecided('The QE identity is not valid yet', CLOCK),
  'tdx-qe-identity-expired': undecided('The QE identity has expired', COLLATERAL),
  'tdx-collateral-rollback': undecided('A document is older than one that was seen before', COLLATERAL),

  // Which document is this, and does the platform reach a level (TDX-40 to 60).
  'tdx-tcb-info-mismatch': forged('The TCB info is not for this kind of TEE', COLLATERAL),
  'tdx-qe-identity-mismatch': forged('The QE identity is not for this kind of TEE', COLLATERAL),
  'tdx-fmspc-mismatch': forged('The TCB info is for another family of platforms', COLLATERAL),
  'tdx-pceid-mismatch': forged('The TCB info is for another provisioning certification enclave', COLLATERAL),
  'tdx-qe-miscselect-mismatch': forged('MISCSELECT of the quoting enclave is not Intel’s', FOREIGN),
  'tdx-qe-attributes-mismatch': forged('ATTRIBUTES of the quoting enclave are not Intel’s', FOREIGN),
  'tdx-qe-mrsigner-mismatch': forged('The quoting enclave was not signed by Intel', FOREIGN),
  'tdx-qe-isvprodid-mismatch': forged('The quoting enclave is another product of Intel’s', FOREIGN),
  'tdx-qe-debug': forged('The quoting enclave runs in debug mode', FOREIGN),
  'tdx-tdx-module-mismatch': forged('Intel knows no TDX module of this major version for the platform', PLATFORM),
  'tdx-mrsigner-seam-mismatch': forged('The TDX module was not signed by Intel', FOREIGN),
  'tdx-seam-attributes-mismatch': forged('The TDX module has attributes that Intel’s does not have', FOREIGN),
  'tdx-tcb-not-supported': forged('The platform reaches no TCB level that Intel lists', PLATFORM),
  'tdx-tdx-module-tcb-not-supported': forged('The TDX module reaches no TCB level that Intel lists', PLATFORM),
  'tdx-qe-tcb-not-supported': forged(
    'The quoting enclave reaches no TCB level that Intel lists',
    'Have the host’s owner update the quoting enclave.',
  ),
  'tdx-tcb-revoked': forged('Intel has revoked this TCB level', PLATFORM),
  'tdx-report-data-mismatch': forged(
    'REPORTDATA is not the value that the request binds',
    'Make the quote over the value of this request; `assay bind` computes it.',
  ),

  // Event logs (TDX-83 to 86).
  'tdx-event-log-malformed': malformed('The event log does not follow its specification', LOG),
  'tdx-event-log-replay-mismatch': forged('The event log does not lead to the registers of the quote', LOG),
  'tdx-event-digest-mismatch': forged('An event has another digest than its data', LOG),
  'tdx-dstack-event-log-invalid': forged('The runtime events break the rules of their format', LOG),

  // Policy (TDX-61 to 82, 89).
  'tdx-td-relaunch-advised': refused('The platform was updated since the TD was launched', 'Start the TD again.'),
  'tdx-tcb-status-not-accepted': refused('The policy does not accept this TCB status', PLATFORM),
  'tdx-tee-tcb-svn2-regression': refused('The current TCB is lower than the one at launch', PLATFORM),
  'tdx-advisory-not-accepted': refused('The policy does not accept an advisory that applies', PLATFORM),
  'tdx-tcb-date-too-old': refused('The TCB level is older than the policy accepts', PLATFORM),
  'tdx-tcb-evaluation-number-too-low': refused('The collateral is of an older evaluation than the policy accepts', COLLATERAL),
  'tdx-td-debug': refused('The TD can be debugged by its host', 'Start the TD without DEBUG.'),
  'tdx-td-tud-bits-set': refused('The TD runs under test or profiling attributes', GUEST),
  'tdx-td-attributes-reserved': refused('A reserved bit of TDATTRIBUTES is set', GUEST),
  'tdx-sept-ve-disable-required': refused('SEPT_VE_DISABLE is not set', GUEST),
  'tdx-td-migratable-not-allowed': refused('The TD may be migrated', GUEST),
  'tdx-td-attributes-not-allowed': refused('The policy does not accept an attribute of the TD', GUEST),
  'tdx-xfam-not-allowed': refused('The policy does not accept XFAM', GUEST),
  'tdx-mrservicetd-not-allowed': refused('A service TD is bound that the policy does not list', ALLOW_LIST),
  'tdx-mrtd-policy-missing': refused(
    'The policy lists no MRTD, so no TD is acceptable',
    'Operator: list the MRTD values of your images in the policy.',
  ),
  'tdx-mrtd-not-allowed': refused('The policy does not list MRTD', ALLOW_LIST),
  'tdx-rtmr-mismatch': refused('The policy does not list a runtime measurement register', ALLOW_LIST),
  'tdx-mrseam-not-allowed': refused('The policy does not list this TDX module', ALLOW_LIST),
  'tdx-mrconfigid-mismatch': refused('MRCONFIGID is not what the policy or the initdata document says', ALLOW_LIST),
  'tdx-mrowner-mismatch': refused('The policy does not list MROWNER', ALLOW_LIST),
  'tdx-mrownerconfig-mismatch': refused('The policy does not list MROWNERCONFIG', ALLOW_LIST),
  'tdx-tee-tcb-svn-too-low': refused('TEE_TCB_SVN is below the policy’s minimum', PLATFORM),
  'tdx-pcesvn-too-low': refused('PCESVN is below the policy’s minimum', PLATFORM),
  'tdx-qe-isvsvn-too-low': refused(
    'ISVSVN of the quoting enclave is below the policy’s minimum',
    'Have the host’s owner update the quoting enclave.',
  ),
  'tdx-platform-not-allowed': refused('The policy does not list this platform', ALLOW_LIST),
  'tdx-platform-configuration-not-allowed': refused('The policy does not accept the platform’s configuration', HOST_CONFIG),
  'tdx-event-log-required': refused(
    'The policy asks for an event log',
    'Send `event_log` (and `runtime_log` where the policy asks) with the quote.',
  ),
  'tdx-secure-boot-required': refused(
    'No event log proves that Secure Boot was on',
    'Start the TD with Secure Boot on, and send `event_log` with the quote.',
  ),
  'sgx-debug': refused('The enclave can be debugged by its host', 'Start the enclave without DEBUG.'),
  'sgx-mrenclave-not-allowed': refused('The policy does not list MRENCLAVE', ALLOW_LIST),
  'sgx-mrsigner-not-allowed': refused('The policy does not list MRSIGNER', ALLOW_LIST),
  'sgx-isvprodid-not-allowed': refused('The policy does not list ISVPRODID', ALLOW_LIST),
  'sgx-isvsvn-too-low': refused('ISVSVN is below the policy’s minimum', 'Update the enclave.'),
  'sgx-identity-policy-missing': refused(
    'The policy lists neither MRENCLAVE nor MRSIGNER with ISVPRODID, so no enclave is acceptable',
    'Operator: list the enclaves that may run in the policy.',
  ),
} as const satisfies Record<string, Problem>
