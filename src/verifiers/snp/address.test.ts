import { describe, expect, it } from 'vitest'
import { SNP_PRODUCTS, crlAddress, parseAmdAddress, vcekAddress } from './address.ts'

const MILAN = 'ab'.repeat(64)
const TURIN = 'ab'.repeat(8)
const tcb = { bootloader: 3, tee: 0, snp: 24, microcode: 219 }

describe('addresses of AMD’s documents', () => {
  it('name a VCEK by product, chip and TCB', () => {
    const address = vcekAddress('Milan', MILAN, tcb)
    expect(address).toBe(`amd/vcek/Milan/${MILAN}/3-0-24-219`)
    expect(parseAmdAddress(address)).toStrictEqual({ kind: 'vcek', product: 'Milan', hwid: MILAN, tcb })
  })

  it('name FMC first on Turin', () => {
    const address = vcekAddress('Turin', TURIN, { ...tcb, fmc: 1 })
    expect(address).toBe(`amd/vcek/Turin/${TURIN}/1-3-0-24-219`)
    expect(parseAmdAddress(address)).toEqual({ kind: 'vcek', product: 'Turin', hwid: TURIN, tcb: { ...tcb, fmc: 1 } })
  })

  it.each(SNP_PRODUCTS.flatMap((product) => (['vcek', 'vlek'] as const).map((endpoint) => [product, endpoint] as const)))(
    'name the list of %s %s',
    (product, endpoint) => expect(parseAmdAddress(crlAddress(product, endpoint))).toEqual({ kind: 'crl', product, endpoint }),
  )

  it.each([
    ['another vendor', 'intel/crl/Milan/vcek'],
    ['another product', 'amd/crl/Rome/vcek'],
    ['another endpoint', 'amd/crl/Milan/vtek'],
    ['something behind it', 'amd/crl/Milan/vcek/x'],
    ['a line break behind it', 'amd/crl/Milan/vcek\n'],
    ['a short chip id', `amd/vcek/Milan/${TURIN}/3-0-24-219`],
    ['a long chip id on Turin', `amd/vcek/Turin/${MILAN}/1-3-0-24-219`],
    ['upper-case hex', `amd/vcek/Milan/${MILAN.toUpperCase()}/3-0-24-219`],
    ['FMC on Milan', `amd/vcek/Milan/${MILAN}/1-3-0-24-219`],
    ['no FMC on Turin', `amd/vcek/Turin/${TURIN}/3-0-24-219`],
    ['a leading zero', `amd/vcek/Milan/${MILAN}/03-0-24-219`],
    ['a part above a byte', `amd/vcek/Milan/${MILAN}/3-0-24-256`],
    ['a way out of the folder', `amd/vcek/Milan/../${MILAN}/3-0-24-219`],
    ['nothing', ''],
  ])('are not read with %s', (_, address) => expect(parseAmdAddress(address)).toBeUndefined())
})
