import type { Problem } from '../problems.ts'

const malformed = (title: string, remedy: string) => ({ kind: 'malformed', title, remedy }) as const
const forged = (title: string, remedy: string) => ({ kind: 'not-genuine', title, remedy }) as const
const refused = (title: string, remedy: string) => ({ kind: 'not-acceptable', title, remedy }) as const
const undecided = (title: string, remedy: string) => ({ kind: 'undecided', title, remedy }) as const

const RAW = 'Send the structure exactly as the TPM gave it.'
const OTHER_KEY = 'Quote with a restricted signing key that the TPM made itself, and send its public area untouched.'
const NEW_QUOTE = 'Make a new quote for this challenge, and send PCR values that were read for it.'
const CHAIN = 'Send the whole chain, leaf first; operator: configure the root that it ends in.'
const ENROL = 'Enrol the key again (POST /v1/tpm/enrolments).'
const EK = 'Send the EK certificate as the TPM keeps it; operator: configure the manufacturer’s root.'
const LOG = 'Send the whole log as the kernel gives it, from the same boot as the quote.'
const FIRMWARE = 'Update the firmware or boot loader of the host: the log does not show a boot that can be judged.'
const SECURE_BOOT = 'Boot with Secure Boot and with keys that the policy lists, or have the operator list these.'
const ALLOW_LIST = 'Boot what the policy lists, or have the operator add this value to the policy.'
const IMA_LIST = 'Send the whole list as the kernel gives it, read after the quote was made.'
const IMA_POLICY = 'Run only what the policy lists, or have the operator add the file to the policy.'

/** Problems of TPM evidence in the order of specification tpm.md section 16, so that the first of several is the one nearest the root of trust. */
export const TPM_PROBLEMS = {
  // Structures (TPM-02 to 17, 33).
  'tpm-attest-malformed': malformed('The attestation structure ends too early, or a field of it is out of range', RAW),
  'tpm-attest-trailing-bytes': malformed('Bytes follow the attestation structure', RAW),
  'tpm-attest-magic-invalid': malformed('The structure does not begin as all that a TPM makes', RAW),
  'tpm-attest-type-not-quote': malformed('The attestation is not a quote', 'Send what TPM2_Quote gives.'),
  'tpm-attest-type-unexpected': malformed('The attestation is of another type than asked for', 'Send what the operation asks for.'),
  'tpm-ak-public-malformed': malformed('The public area of the attestation key does not follow its specification', RAW),
  'tpm-signature-malformed': malformed('The signature does not follow its specification', RAW),
  'tpm-pcr-selection-invalid': malformed(
    'The signed PCR selection is not one: a bank twice, an empty entry, or a PCR over 23',
    'Quote each bank once, with at least one PCR of 0 to 23.',
  ),
  'tpm-ak-attributes-invalid': forged('The attestation key has attributes that no attestation key has', OTHER_KEY),
  'tpm-ak-not-tpm-resident': forged('The attestation key may have been made outside the TPM, or may leave it', OTHER_KEY),
  'tpm-ak-not-restricted': forged('The attestation key also signs what the TPM did not make', OTHER_KEY),
  'tpm-ak-not-signing-key': forged('The key is not a signing key', OTHER_KEY),
  'tpm-ak-key-weak': forged('The attestation key is too weak, or not a key', 'Use RSA of 2048 bits or more, or ECC P-256, P-384 or P-521.'),
  'tpm-signature-hash-weak': forged('The signature is over SHA-1', 'Quote with SHA-256, SHA-384 or SHA-512.'),
  'tpm-signature-alg-unsupported': forged('The signature is of a kind that is not accepted', 'Quote with RSASSA, RSAPSS or ECDSA.'),
  'tpm-signature-scheme-mismatch': forged('The signature is of another scheme or hash than the key', RAW),
  'tpm-signature-invalid': forged('The signature does not verify', NEW_QUOTE),
  'tpm-qualified-signer-mismatch': forged('The quote was signed by a key at another place in the TPM', OTHER_KEY),

  // Trust in the attestation key (TPM-18 to 31, 80).
  'tpm-ak-untrusted': forged(
    'Nothing that the policy accepts vouches for the attestation key',
    'Enrol the key (POST /v1/tpm/enrolments), or send the certificate that the cloud issued for it.',
  ),
  'tpm-ak-cert-chain-invalid': forged('The certificate of the attestation key does not lead to a configured root', CHAIN),
  'tpm-ak-cert-expired': forged(
    'A certificate of the attestation key’s chain is not valid now',
    'Renew it: enrol again, or fetch it anew.',
  ),
  'tpm-ak-cert-key-mismatch': forged(
    'The certificate is of another key than the public area',
    'Send the certificate of the key that quotes.',
  ),
  'tpm-ak-cert-usage-invalid': forged('The certificate is not one for attestation keys', 'Send the certificate of the attestation key.'),
  'tpm-ak-cert-revoked': forged('A certificate of the attestation key’s chain is revoked', ENROL),
  'tpm-gce-identity-invalid': forged(
    'The identity of the instance in the certificate cannot be believed',
    'Send the certificate that Google issued, untouched.',
  ),
  'tpm-gce-not-production': forged('Google issued the certificate for an instance that is not in production', 'Use a production instance.'),
  'tpm-gce-identity-not-allowed': refused('The policy does not list the project, zone or instance', ALLOW_LIST),
  'tpm-ek-cert-profile-invalid': forged('The EK certificate does not follow the profile for endorsement keys', EK),
  'tpm-ek-cert-chain-invalid': forged('The EK certificate does not lead to a configured root', EK),
  'tpm-ek-cert-expired': forged('A certificate of the EK’s chain is not valid now', EK),
  'tpm-ek-cert-revoked': forged('A certificate of the EK’s chain is revoked', 'Use another TPM.'),
  'tpm-ek-public-mismatch': forged(
    'The public area of the EK is not that of the certificate under a known template',
    'Create the EK by the template that its certificate is for.',
  ),
  'tpm-ek-untrusted': forged('The endorsement key has no certificate and was not enrolled', EK),
  'tpm-activation-failed': forged('The secret is not the one that was encrypted for the TPM, or the state is not ours', ENROL),
  'tpm-activation-expired': forged('The enrolment was not finished in time', ENROL),
  'tpm-activation-replayed': forged('The enrolment was finished before', ENROL),
  'tpm-manufacturer-not-allowed': refused('The manufacturer is not one that this root may vouch for, or that is accepted', EK),
  'tpm-software-tpm-not-allowed': refused(
    'The TPM is a program',
    'Use a TPM that is not one; operator: `software_tpm: allow` accepts it by name.',
  ),
  'tpm-ek-not-listed': refused(
    'The TPM is genuine, but nobody listed it',
    'Operator: add the EK to `tpm.enrolment.ek`, or enrol it with a caller of role enroller.',
  ),
  'tpm-ak-not-enrolled': forged('The attestation key is not one that the policy enrolled', ENROL),
  'tpm-ak-revoked': forged('The operator revoked the attestation key or its EK', ENROL),
  'tpm-certify-name-mismatch': forged('The certified object is not the attestation key', OTHER_KEY),

  // The quote (TPM-32, 34 to 40).
  'tpm-nonce-mismatch': forged('The quote was made for another value than this request binds', NEW_QUOTE),
  'tpm-pcr-bank-weak': refused('No quote of a permitted bank is there', 'Quote a bank of SHA-256, SHA-384 or SHA-512.'),
  'tpm-pcr-not-quoted': refused('The quote lacks a PCR that the policy needs', 'Quote all PCRs that the policy names.'),
  'tpm-pcr-values-mismatch-selection': forged('The PCR values are not exactly those that the signed selection names', NEW_QUOTE),
  'tpm-pcr-digest-mismatch': forged('The PCR values are not those that were quoted', NEW_QUOTE),
  'tpm-quotes-inconsistent': forged(
    'The quotes are not of one key, nonce and boot',
    'Make all quotes of one request in one boot, with one key.',
  ),
  'tpm-clock-regressed': refused(
    'The TPM’s clock or counters went back since the last quote',
    'Enrol the key again if the TPM was cleared.',
  ),
  'tpm-clock-unsafe': refused(
    'The TPM says that its clock may have gone back',
    'Try again when the TPM has saved its clock, or after an orderly reboot.',
  ),
  'tpm-reboot-not-allowed': refused('The host was rebooted since the last quote', 'Ask the operator: the policy refuses rebooted hosts.'),
  'tpm-firmware-not-allowed': refused(
    'The TPM’s firmware is not one that the policy accepts',
    'Update the TPM’s firmware, or have the policy list it.',
  ),
  'tpm-boot-policy-missing': refused(
    'The policy does not say what may boot',
    'Operator: list values of PCR 4 or 7, boot applications, or authorities of Secure Boot.',
  ),
  'tpm-pcr-value-not-allowed': refused('A PCR has a value that the policy does not accept', ALLOW_LIST),

  // Event logs (TPM-42 to 60).
  'tpm-eventlog-missing': refused('The policy needs the event log', 'Send `event_log` as the kernel gives it.'),
  'tpm-eventlog-malformed': malformed('The event log does not follow its format', LOG),
  'tpm-eventlog-bank-missing': forged('The event log has no digests of the quoted bank', LOG),
  'tpm-eventlog-startup-locality-invalid': forged('The record of the startup locality is not where or what it may be', LOG),
  'tpm-eventlog-replay-mismatch': forged('The event log does not lead to the quoted PCRs', LOG),
  'tpm-eventlog-incomplete': forged('A PCR was extended by something that the event log does not tell', LOG),
  'tpm-eventlog-separator-invalid': forged('A separator is missing, repeated, or not one', FIRMWARE),
  'tpm-firmware-error-separator': forged('The firmware measured that it failed', FIRMWARE),
  'tpm-eventlog-event-data-mismatch': forged('An event has another digest than its data', LOG),
  'tpm-secureboot-log-invalid': forged('The events of Secure Boot are not as firmware measures them', FIRMWARE),
  'tpm-uefi-debug-mode': refused('The firmware was in debug mode', 'Leave the debug mode of the firmware.'),
  'tpm-dma-protection-disabled': refused('The firmware booted without protection from DMA', 'Enable DMA protection in the firmware.'),
  'tpm-secureboot-disabled': refused('Secure Boot was not in effect', SECURE_BOOT),
  'tpm-secureboot-keys-not-allowed': refused('Secure Boot has a key that the policy does not list', SECURE_BOOT),
  'tpm-secureboot-dbx-outdated': refused(
    'The list of forbidden boot loaders lacks entries that the policy needs',
    'Update the firmware’s dbx.',
  ),
  'tpm-secureboot-authority-not-allowed': refused('A certificate that the policy does not list let something boot', SECURE_BOOT),
  'tpm-exit-boot-services-missing': refused('The log does not show where the firmware handed over', LOG),
  'tpm-boot-app-not-allowed': refused('A boot loader or kernel is not one that the policy lists', ALLOW_LIST),
  'tpm-grub-log-invalid': forged('An event of GRUB has another digest than its text', LOG),
  'tpm-kernel-cmdline-ambiguous': forged('The log names more than one kernel command line', LOG),
  'tpm-kernel-cmdline-not-allowed': refused('The kernel command line is not one that the policy accepts', ALLOW_LIST),
  'tpm-firmware-version-not-allowed': refused('The host’s firmware is not one that the policy accepts', ALLOW_LIST),
  'tpm-gce-technology-not-allowed': refused('The instance’s confidential technology is not one that the policy accepts', ALLOW_LIST),
  'tpm-uki-measurement-mismatch': refused('PCR 11 is not what the listed unified kernel image leads to', ALLOW_LIST),
  'tpm-boot-phase-not-allowed': refused(
    'The host is in a phase of its boot that the policy does not accept',
    'Attest in a phase that the policy lists.',
  ),

  // IMA (TPM-61 to 69).
  'tpm-ima-missing': refused('The policy needs the IMA list', 'Send `ima_log` as the kernel gives it.'),
  'tpm-ima-malformed': malformed('The IMA list does not follow its format', IMA_LIST),
  'tpm-ima-template-hash-mismatch': forged('An entry of the IMA list has another hash than its data', IMA_LIST),
  'tpm-ima-replay-mismatch': forged('No beginning of the IMA list leads to PCR 10', IMA_LIST),
  'tpm-ima-boot-aggregate-mismatch': refused('The IMA list does not begin with the boot that was quoted', IMA_LIST),
  'tpm-ima-violation': refused(
    'A file was measured while it was being written',
    'Find what writes the files named, or have the policy tolerate violations.',
  ),
  'tpm-ima-not-allowed': refused('A file ran that the policy does not list', IMA_POLICY),
  'tpm-ima-hash-mismatch': refused('A file ran with another content than the policy lists', IMA_POLICY),
  'tpm-ima-signature-malformed': forged('The signature of a file does not follow its format', IMA_POLICY),
  'tpm-ima-signature-invalid': forged('The signature of a file does not verify', IMA_POLICY),
  'tpm-ima-keyring-not-allowed': refused('A key was loaded that the policy does not list', IMA_POLICY),
  'tpm-ima-state-stale': forged(
    'The state does not belong to this boot, host, policy or verifier',
    'Send the whole list without `ima_state`.',
  ),
  'tpm-ima-state-regressed': forged('The list is shorter than it was before in the same boot', 'Send the whole list without `ima_state`.'),

  // Revocation lists.
  'tpm-crl-unavailable': undecided(
    'A revocation list of a TPM authority is not at hand, or cannot be used',
    'Operator: look at GET /v1/collateral; refresh the list.',
  ),
} as const satisfies Record<string, Problem>
