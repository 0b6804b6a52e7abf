import { X509Certificate } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { listedEks } from '../src/config/enrolment-files.ts'
import { memoryStores } from '../src/stores/memory.ts'
import { AttestationError } from '../src/verifiers/problems.ts'
import { EK_TEMPLATES } from '../src/verifiers/tpm/credential/templates.ts'
import { ekKeyOf } from '../src/verifiers/tpm/credential/ek-key.ts'
import { ekPublicOf } from '../src/verifiers/tpm/credential/ek-public.ts'
import { tpmCrlAddress } from '../src/verifiers/tpm/trust/address.ts'
import { judgeTrust } from '../src/verifiers/tpm/trust/judge.ts'
import { MARKER_OID } from '../src/verifiers/x509-marker.ts'
import { parseCertificate } from '../src/verifiers/x509.ts'
import {
  answerOf,
  BEGIN,
  begunOf,
  enrolmentLab,
  FINISH,
  finishedOf,
  labAnchors,
  labAuthority,
  labTpm,
  maker,
  refusedWith,
  requestOf,
  root,
  SETTINGS,
  type EnrolmentAnswered,
  type EnrolmentLab,
  type LabTpm,
} from './enrolment-lab.ts'
import { contextWith, ecKeys, NO_COLLATERAL, NOW, spkiOf, years } from './tpm-trust-lab.ts'

const base64 = (data: Uint8Array): string => Buffer.from(data).toString('base64')
const tpm = labTpm()
const listed = { listed: [{ spkiSha256: tpm.spkiSha256 }] }

/** The public area of a TPM's EK under a template. */
function ekArea({ ek }: Pick<LabTpm, 'ek'>, name = 'L-2'): Uint8Array {
  const [template, key] = [EK_TEMPLATES.find((one) => one.name === name), ekKeyOf(ek.publicKey)]
  if (template === undefined || key === undefined) throw new Error('no such template')
  return ekPublicOf(template, key)
}

const begin = async (lab: EnrolmentLab, one: LabTpm = tpm) => begunOf(await lab.post(BEGIN, requestOf(one)))
const later = (lab: EnrolmentLab, seconds: number) => {
  lab.clock.now = new Date(NOW.getTime() + seconds * 1000)
}

describe('an enrolment', () => {
  let lab: EnrolmentLab
  let first: EnrolmentAnswered
  let second: EnrolmentAnswered
  let answered: ReturnType<typeof finishedOf>
  let pem: string
  beforeAll(async () => {
    lab = await enrolmentLab(listed)
    first = await lab.post(BEGIN, requestOf(tpm))
    second = await lab.post(FINISH, answerOf(tpm, begunOf(first)))
    answered = finishedOf(second)
    pem = answered.ak_certificate
  })

  it('begins with a secret that the TPM of the EK opens, in one form or the other', () => {
    const begun = begunOf(first)
    expect(begun).toMatchObject({ ek_public_key_sha256: tpm.spkiSha256, ak_name: tpm.ak.name, basis: 'listed' })
    expect(begun.expires_at).toBe(new Date(NOW.getTime() + 60_000).toISOString())
    const parts = [begun.credential_blob, begun.encrypted_secret].map((text) => Buffer.from(text, 'base64'))
    expect(begun.tpm2_tools_credential).toBe(base64(Buffer.concat([Buffer.from('badcc0de00000001', 'hex'), ...parts])))
    expect([first, second].map(({ headers }) => headers.get('cache-control'))).toEqual(['no-store', 'no-store'])
  })

  it('ends in a certificate of the attestation key, signed by Assay’s own authority', () => {
    const certificate = new X509Certificate(pem)
    const authority = new X509Certificate(answered.chain[0] ?? '')
    expect(certificate.publicKey.equals(tpm.ak.publicKey)).toBe(true)
    expect(certificate.verify(authority.publicKey) && certificate.checkIssued(authority)).toBe(true)
    expect([authority.ca, authority.verify(authority.publicKey), certificate.ca]).toEqual([true, true, false])
    expect(authority.subject).toMatch(/^CN=Assay AK CA \(test\) [0-9a-f]{16}$/)
    expect(certificate.validToDate).toEqual(new Date(NOW.getTime() + 86_400_000))
    expect(answered.expires_at).toBe(certificate.validToDate.toISOString())
    expect(certificate.validFromDate).toEqual(new Date(NOW.getTime() - 60_000))
    expect(certificate.serialNumber.length).toBeGreaterThan(20)
    expect(certificate.keyUsage).toEqual(['2.23.133.8.3'])
    // Outside production no certificate of ours can be taken for one of production.
    for (const one of [certificate, authority]) {
      expect(parseCertificate(one.raw).extensions.filter(({ oid }) => oid === MARKER_OID)).toMatchObject([{ critical: true }])
    }
  })

  it('is believed by the verifier that issued it, as what it is', () => {
    const input = {
      akPublic: { name: tpm.ak.name, spki: spkiOf(tpm.ak.publicKey) },
      certificates: [new X509Certificate(pem).raw],
      anchors: lab.services.anchors,
      collateral: NO_COLLATERAL,
    }
    const judged = (context = contextWith({}, { mode: 'test' }), anchors = input.anchors) => judgeTrust({ ...input, anchors, context })
    expect(judged().trust).toMatchObject({
      model: 'ek-activation',
      name: tpm.ak.name,
      ek: { public_key_sha256: tpm.spkiSha256, basis: 'listed', listed_by: null },
    })
    const failures = (result: ReturnType<typeof judged>) => result.checks.flatMap((check) => (check.outcome === 'fail' ? [check.code] : []))
    // It is never an `ak-cert`, counts in its own mode alone, ends, and ends at once when the EK is taken off the list.
    expect(judged(contextWith({ akTrust: ['ak-cert'] }, { mode: 'test' })).trust).toBeUndefined()
    expect(judged(contextWith({}, { mode: 'demo' })).trust).toBeUndefined()
    expect(failures(judged(contextWith({}, { mode: 'test', now: years(1) })))).toEqual(['tpm-ak-cert-expired'])
    const { tpm: anchors } = lab.services.anchors
    const unlisted = {
      ...lab.services.anchors,
      tpm: { ...anchors, listed: { spkiSha256: new Set<string>(), authorities: new Set<string>() } },
    }
    expect(judged(contextWith({}, { mode: 'test' }), unlisted).trust).toBeUndefined()
    expect(judged(contextWith({}, { mode: 'test' }), { ...unlisted, tpm: { ...anchors, own: [] } }).trust).toBeUndefined()
  })

  it('leaves lines of digests in the audit log', () => {
    expect(lab.audit.map(({ action, outcome, tpm: about }) => ({ action, outcome, about }))).toMatchObject([
      {
        action: 'tpm-enrolment',
        outcome: 'issued',
        about: { ek_public_key_sha256: tpm.spkiSha256, ak_name: tpm.ak.name, basis: 'listed' },
      },
      {
        action: 'tpm-activation',
        outcome: 'issued',
        about: { serial: new X509Certificate(pem).serialNumber, not_after: answered.expires_at },
      },
    ])
  })
})

describe('who may be enrolled', () => {
  const other = labTpm()
  it.each([
    ['nobody lists', {}, undefined, '403 tpm-ek-not-listed TPM-28'],
    ['another is listed', listed, undefined, '403 tpm-ek-not-listed TPM-28'],
    ['a caller without the role stands for', {}, 'policy-author', '403 tpm-ek-not-listed TPM-28'],
  ] as const)('is none that %s', async (...[, settings, as, code]) => {
    const lab = await enrolmentLab(settings)
    expect(refusedWith(await lab.post(BEGIN, requestOf(other), as))).toBe(code)
    expect(lab.audit).toMatchObject([{ action: 'tpm-enrolment', outcome: 'refused', code: 'tpm-ek-not-listed' }])
  })

  it.each([
    ['an enroller stands for', {}, 'enroller', 'enroller'],
    ['an administrator stands for', {}, 'admin', 'enroller'],
    ['is any', { others: 'DANGEROUSLY_ANY_GENUINE_TPM' }, undefined, 'any'],
    ['is listed by its authority', { listed: [{ authority: maker.sha256 }] }, undefined, 'listed'],
    ['is listed by its root', { listed: [{ authority: root.sha256 }] }, undefined, 'listed'],
    // The list goes first, so that taking a TPM off it counts at once.
    ['is listed and an enroller stands for', { listed: [{ spkiSha256: other.spkiSha256 }] }, 'enroller', 'listed'],
  ] as const)('is one that %s', async (...[, settings, as, basis]) => {
    const lab = await enrolmentLab(settings)
    const begun = begunOf(await lab.post(BEGIN, requestOf(other), as))
    expect(begun.basis).toBe(basis)
    expect(finishedOf(await lab.post(FINISH, answerOf(other, begun))).basis).toBe(basis)
  })

  it('is told in the certificate', async () => {
    const lab = await enrolmentLab({ listed: [{ authority: maker.sha256 }] })
    const { ak_certificate: pem } = finishedOf(await lab.post(FINISH, answerOf(other, await begin(lab, other))))
    const certificates = [new X509Certificate(pem).raw]
    const akPublic = { name: other.ak.name, spki: spkiOf(other.ak.publicKey) }
    const context = contextWith({}, { mode: 'test' })
    const judged = judgeTrust({ akPublic, certificates, anchors: lab.services.anchors, collateral: NO_COLLATERAL, context })
    expect(judged.trust?.ek).toMatchObject({ basis: 'listed', listed_by: maker.sha256 })
  })

  it('is nobody where the operator says nothing of enrolment', async () => {
    const lab = await enrolmentLab({}, { enrolling: undefined })
    expect(refusedWith(await lab.post(BEGIN, requestOf(other), 'enroller'))).toBe('404 enrolment-off')
    expect(refusedWith(await lab.post(FINISH, {}))).toBe('404 enrolment-off')
  })
})

describe('an endorsement key', () => {
  const p256 = ecKeys()
  const anybody = { others: 'DANGEROUSLY_ANY_GENUINE_TPM' } as const

  it.each([
    ['with the certificate of another', { ek_public: base64(ekArea(labTpm())) }, '422 tpm-ek-public-mismatch TPM-27'],
    ['that follows no template', { ek_public: base64(ekArea(tpm).fill(0, 0, 2)) }, '422 tpm-ek-public-mismatch TPM-27'],
    ['under a root that nobody trusts', { ek_chain: [] }, '422 tpm-ek-cert-chain-invalid TPM-26'],
    ['whose certificate is none', { ek_certificate: 'AAAA' }, '422 tpm-ek-cert-profile-invalid TPM-25'],
    [
      'whose certificate has ended',
      { ek_certificate: base64(labTpm({ certificate: { notAfter: years(-0.5) } }).certificate) },
      '422 tpm-ek-cert-expired TPM-26',
    ],
    ['of secp256k1', { ek_certificate: base64(labTpm({ ek: ecKeys('secp256k1') }).certificate) }, '422 tpm-ek-cert-profile-invalid TPM-25'],
    [
      'without a certificate, which nobody lists',
      { ek_certificate: undefined, ek_public: base64(ekArea({ ek: p256 })) },
      '422 tpm-ek-untrusted TPM-28',
    ],
    [
      'without a certificate, of no template',
      { ek_certificate: undefined, ek_public: base64(new Uint8Array(40)) },
      '422 tpm-ek-public-mismatch TPM-27',
    ],
    ['that is not shown', { ek_certificate: undefined }, '400 request-malformed'],
  ])('%s is refused, whoever stands for it', async (_, changes, code) => {
    const lab = await enrolmentLab(anybody)
    expect(refusedWith(await lab.post(BEGIN, requestOf(tpm, changes), 'enroller'))).toBe(code)
  })

  it.each(['L-2', 'H-2'])('may show its public area beside the certificate (%s)', async (template) => {
    const lab = await enrolmentLab(listed)
    const begun = begunOf(await lab.post(BEGIN, requestOf(tpm, { ek_public: base64(ekArea(tpm, template)) })))
    expect(finishedOf(await lab.post(FINISH, answerOf(tpm, begun))).ak_name).toBe(tpm.ak.name)
  })

  it('is not judged without a revocation list that the operator asks for', async () => {
    const source = { issuerSpkiSha256: maker.spkiSha256, address: tpmCrlAddress(maker.spkiSha256) }
    const anchors = labAnchors({ crlSources: [source] })
    const answered = await (await enrolmentLab(listed, { anchors })).post(BEGIN, requestOf(tpm))
    expect(refusedWith(answered)).toBe('503 tpm-crl-unavailable TPM-26')
    expect(answered.headers.get('retry-after')).toBe('60')
    expect(
      begunOf(await (await enrolmentLab({ ...listed, revocation: 'DANGEROUSLY_OFF' }, { anchors })).post(BEGIN, requestOf(tpm))).basis,
    ).toBe('listed')
  })

  it('needs no certificate where it is listed itself', async () => {
    const lab = await enrolmentLab(listed)
    const bare = { ek_certificate: undefined, ek_chain: undefined, ek_public: base64(ekArea(tpm)) }
    const begun = begunOf(await lab.post(BEGIN, requestOf(tpm, bare)))
    expect(finishedOf(await lab.post(FINISH, answerOf(tpm, begun)))).toMatchObject({
      basis: 'listed',
      ek_public_key_sha256: tpm.spkiSha256,
    })
  })

  it('limits how long the certificate lives', async () => {
    const ending = labTpm({ certificate: { notAfter: new Date(NOW.getTime() + 3_600_000) } })
    const lab = await enrolmentLab(anybody)
    expect(finishedOf(await lab.post(FINISH, answerOf(ending, await begin(lab, ending)))).expires_at).toBe(
      new Date(NOW.getTime() + 3_600_000).toISOString(),
    )
    const dying = labTpm({ certificate: { notAfter: new Date(NOW.getTime() + 10_000) } })
    const answer = answerOf(dying, await begin(lab, dying))
    later(lab, 11)
    expect(refusedWith(await lab.post(FINISH, answer))).toBe('422 tpm-activation-expired TPM-29')
  })

  it('is not listed by the authority of a manufacturer, by name', () => {
    const pin = '5a8c7b5eb888cfce9322068e80e82b28b554ffeb7fdc9638dcb3763077401d26'
    expect(() => listedEks({ ...SETTINGS, listed: [{ authority: pin }] })).toThrow('authority of a TPM manufacturer')
    expect(() => listedEks({ ...SETTINGS, listed: [{ authority: '/nowhere' }] })).toThrow('ENOENT')
  })
})

describe('an attestation key', () => {
  const BITS = { fixedTPM: 2, restricted: 0x10000, decrypt: 0x20000, sign: 0x40000, reserved: 1 } as const
  const usual = 0x0005_0072
  it.each([
    ['that may leave the TPM', usual & ~BITS.fixedTPM, '422 tpm-ak-not-tpm-resident TPM-09'],
    ['that signs anything', usual & ~BITS.restricted, '422 tpm-ak-not-restricted TPM-10'],
    ['that decrypts', usual | BITS.decrypt, '422 tpm-ak-not-signing-key TPM-11'],
    ['that does not sign', usual & ~BITS.sign, '422 tpm-ak-not-signing-key TPM-11'],
    ['with a reserved bit', usual | BITS.reserved, '422 tpm-ak-attributes-invalid TPM-08'],
  ])('%s is refused', async (_, attributes, code) => {
    const lab = await enrolmentLab({ others: 'DANGEROUSLY_ANY_GENUINE_TPM' })
    expect(refusedWith(await lab.post(BEGIN, requestOf(labTpm({ area: { attributes } }))))).toBe(code)
  })

  it('that is none is refused', async () => {
    const lab = await enrolmentLab(listed)
    expect(refusedWith(await lab.post(BEGIN, requestOf(tpm, { ak_public: 'AAAA' })))).toBe('400 tpm-ak-public-malformed TPM-07')
    expect(refusedWith(await lab.post(BEGIN, requestOf(tpm, { ak_public: base64(Buffer.concat([tpm.ak.area, Buffer.of(0)])) })))).toBe(
      '400 tpm-ak-public-malformed TPM-07',
    )
  })

  it('of another name cannot open what was made for this one', async () => {
    const begun = await begin(await enrolmentLab(listed))
    expect(() => labTpm({ ek: tpm.ek }).open(begun)).toThrow('integrity')
    expect(() => ({ ...labTpm(), ak: tpm.ak }).open(begun)).toThrow('integrity')
  })
})

/** The same bytes with one bit changed, counted from the end. */
const changed = (text: string, at: number): string => {
  const bytes = Buffer.from(text, 'base64')
  bytes.writeUInt8(bytes.readUInt8(bytes.length + at) ^ 1, bytes.length + at)
  return bytes.toString('base64')
}

describe('an activation', () => {
  it('with a secret that is wrong in its last byte fails, and the right one still counts', async () => {
    const lab = await enrolmentLab(listed)
    const answer = answerOf(tpm, await begin(lab))
    for (const secret of [changed(answer.secret, -1), '', base64(Buffer.from(answer.secret, 'base64').subarray(0, 31))]) {
      expect(refusedWith(await lab.post(FINISH, { ...answer, secret }))).toBe('422 tpm-activation-failed TPM-29')
    }
    finishedOf(await lab.post(FINISH, answer))
    expect(lab.audit.map(({ outcome }) => outcome)).toEqual(['issued', 'refused', 'refused', 'refused', 'issued'])
  })

  it('ends after a minute', async () => {
    const lab = await enrolmentLab(listed)
    const answer = answerOf(tpm, await begin(lab))
    later(lab, 60)
    expect(refusedWith(await lab.post(FINISH, answer))).toBe('422 tpm-activation-expired TPM-29')
    later(lab, 59.999)
    finishedOf(await lab.post(FINISH, answer))
  })

  it('counts once, also of many at once', async () => {
    const lab = await enrolmentLab(listed)
    const answer = answerOf(tpm, await begin(lab))
    const all = await Promise.all(Array.from({ length: 8 }, () => lab.post(FINISH, answer)))
    expect(all.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([201, 422, 422, 422, 422, 422, 422, 422])
    expect(refusedWith(await lab.post(FINISH, answer))).toBe('422 tpm-activation-replayed TPM-29')
  })

  it('with a state that is not ours fails', async () => {
    const lab = await enrolmentLab(listed)
    const answer = answerOf(tpm, await begin(lab))
    const strange = await enrolmentLab(listed)
    const states = [changed(answer.state, -1), changed(answer.state, -40), 'AAAA', '', (await begin(strange)).state]
    const refusals = await Promise.all(states.map((state) => lab.post(FINISH, { ...answer, state })))
    expect(new Set(refusals.map(refusedWith))).toEqual(new Set(['422 tpm-activation-failed TPM-29']))
  })

  it('with the secret of another enrolment fails', async () => {
    const lab = await enrolmentLab(listed)
    const [one, two] = [answerOf(tpm, await begin(lab)), answerOf(tpm, await begin(lab))]
    expect(refusedWith(await lab.post(FINISH, { state: one.state, secret: two.secret }))).toBe('422 tpm-activation-failed TPM-29')
  })

  it('without an audit line gives no certificate, and spends the state', async () => {
    let isFull = false
    const append = async () => {
      if (isFull) throw new AttestationError('audit-unavailable', 'full', { retryAfter: 1 })
    }
    const lab = await enrolmentLab(listed, { services: { audit: { append, close: async () => {} } } })
    const answer = answerOf(tpm, await begin(lab))
    isFull = true
    expect(refusedWith(await lab.post(FINISH, answer))).toBe('503 audit-unavailable')
    expect(refusedWith(await lab.post(BEGIN, requestOf(tpm)))).toBe('503 audit-unavailable')
    isFull = false
    expect(refusedWith(await lab.post(FINISH, answer))).toBe('422 tpm-activation-replayed TPM-29')
  })
})

describe('replicas', () => {
  const secret = new Uint8Array(32).map((_, index) => index * 7)
  const settings = { ...SETTINGS, ...listed }

  it('finish what another began, once among all', async () => {
    const shared = { secret, stores: memoryStores(), enrolling: { settings, authority: labAuthority() } }
    const [one, two] = [await enrolmentLab({}, shared), await enrolmentLab({}, shared)]
    const answer = answerOf(tpm, await begin(one))
    finishedOf(await two.post(FINISH, answer))
    expect(refusedWith(await one.post(FINISH, answer))).toBe('422 tpm-activation-replayed TPM-29')
  })

  it('finish nothing that was begun before their store lost what was spent', async () => {
    const enrolling = { settings, authority: labAuthority() }
    const [one, two] = [await enrolmentLab({}, { secret, enrolling }), await enrolmentLab({}, { secret, enrolling })]
    expect(refusedWith(await two.post(FINISH, answerOf(tpm, await begin(one))))).toBe('422 tpm-activation-expired TPM-29')
  })

  it('finish nothing of another mode or service', async () => {
    const enrolling = { settings, authority: labAuthority() }
    const shared = { secret, stores: memoryStores(), enrolling }
    const answer = answerOf(tpm, await begin(await enrolmentLab({}, shared)))
    const demo = await enrolmentLab({}, { ...shared, mode: 'demo' })
    expect(refusedWith(await demo.post(FINISH, answer))).toBe('422 tpm-activation-failed TPM-29')
  })
})
