import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { fakeAmd, type FakeAmd } from './amd.ts'
import { serveFakeTsm, type FakeTsm } from './configfs-tsm.ts'
import { fakeHost, type FakeHost } from './hosts.ts'

let amd: FakeAmd
let host: FakeHost
let dir: string
let tsm: FakeTsm
beforeEach(async () => {
  amd ??= await fakeAmd({ products: ['Milan'] })
  host = fakeHost(amd)
  dir = mkdtempSync(join(tmpdir(), 'assay tsm '))
  tsm = serveFakeTsm(dir, host)
})
afterEach(() => {
  tsm.close()
  rmSync(dir, { recursive: true })
})

const SHELLS = [['dash'], ['busybox', 'sh']]

/** Runs a script with the fake's tools first on PATH; it finds the folder in $R. */
async function shell([command = 'sh', ...args]: string[], script: string): Promise<Buffer> {
  const env = { ...process.env, PATH: `${tsm.bin}:${process.env['PATH'] ?? ''}`, R: tsm.report }
  const run = await promisify(execFile)(command, [...args, '-euc', script], { env, encoding: 'buffer', timeout: 20_000 })
  return run.stdout
}

describe.each(SHELLS)('a fake configfs-tsm tree under %s', (...words) => {
  const sh = (script: string) => shell(words, script)

  it('hands out a report over what was written to inblob', async () => {
    const out = await sh('mkdir "$R/a"; printf %064d 7 >"$R/a/inblob"; cat "$R/a/outblob"; rmdir "$R/a"')
    expect(out.length).toBe(1184)
    expect(out.subarray(0x50, 0x90).toString()).toBe('7'.padStart(64, '0'))
    expect(out.subarray(0x1a0, 0x1e0)).toEqual(Buffer.from(host.vek.hwid))
    expect(readdirSync(tsm.report)).toEqual([])
    expect(tsm.reads()).toBe(1)
  })

  it('minds no folder that goes away while it is being filled', async () => {
    await sh('i=0; while [ $i -lt 300 ]; do /bin/mkdir "$R/a"; /bin/mv "$R/a" "$R/../gone.$i"; i=$((i + 1)); done')
    expect((await sh('mkdir "$R/a"; cat "$R/a/provider"; rmdir "$R/a"')).toString()).toBe('sev_guest\n')
  })

  it('takes binary by dd, and pads a short inblob', async () => {
    const out = await sh(
      String.raw`d=$(mktemp -d "$R/x.XXXXXX"); printf '\000\377' | dd of="$d/inblob" bs=64 2>/dev/null; dd if="$d/outblob" bs=4096 2>/dev/null; rmdir "$d"`,
    )
    expect(out.subarray(0x50, 0x54)).toEqual(Buffer.from([0, 0xff, 0, 0]))
  })

  it('says who provides it, and counts what was written', async () => {
    const script =
      'mkdir "$R/a"; cd "$R/a"; cat provider generation; printf a >inblob; cat generation; printf b >inblob; cat generation generation'
    expect((await sh(script)).toString()).toBe('sev_guest\n0\n1\n2\n2\n')
  })

  it('hands out the certificate table as auxblob', async () => {
    const out = await sh('mkdir "$R/a"; printf a >"$R/a/inblob"; cat "$R/a/outblob" >/dev/null; cat "$R/a/auxblob"')
    expect(out).toEqual(Buffer.from(host.certTable()))
  })

  it('answers nothing without an inblob', async () => {
    expect((await sh('mkdir "$R/a"; cat "$R/a/outblob"')).length).toBe(0)
    expect((await sh('mkdir "$R/b"; printf %065d 1 >"$R/b/inblob"; cat "$R/b/outblob"')).length).toBe(0)
  })

  it('keeps folders apart', async () => {
    const out = await sh(
      'mkdir "$R/a" && mkdir "$R/b"; printf a >"$R/a/inblob"; printf b >"$R/b/inblob"; cat "$R/a/outblob" "$R/b/outblob"',
    )
    expect([out[0x50], out[1184 + 0x50]]).toEqual(Buffer.from('ab').toJSON().data)
  })
})

describe('a fake configfs-tsm tree', () => {
  it('answers a reader once, however slow it is to notice the end', async () => {
    // The reader holds the FIFO open for ten polls after its answer has come.
    const out = await shell(['sh'], 'mkdir "$R/a"; printf a >"$R/a/inblob"; { head -c 1184; sleep 0.05; cat; } <"$R/a/outblob"')
    expect(out.length).toBe(1184)
    expect(tsm.reads()).toBe(1)
  })

  it('survives the folder being taken away and made again', async () => {
    const once = 'mkdir "$R/a"; printf a >"$R/a/inblob"; cat "$R/a/outblob"; rmdir "$R/a"'
    expect((await shell(['sh'], [once, once, once].join('; '))).length).toBe(3 * 1184)
  })

  it('can belong to another provider and spoil reports', async () => {
    tsm.close()
    tsm = serveFakeTsm(dir, host, { provider: 'tdx_guest', outblob: (report) => report.subarray(1) })
    const out = await shell(['sh'], 'mkdir "$R/a"; printf a >"$R/a/inblob"; cat "$R/a/provider" "$R/a/outblob"')
    expect(out.length).toBe('tdx_guest\n'.length + 1183)
  })

  it('leaves mkdir and rmdir elsewhere as they are', async () => {
    const script = 'P="${R%/report}/plain"; mkdir -p "$P/inner"; rmdir "$P/inner"; [ -d "$P" ]; ! rmdir "$P/none" 2>/dev/null'
    await shell(['sh'], script)
    expect(readdirSync(join(dir, 'plain'))).toEqual([])
  })
})
