import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { members } from '../src/config/members.ts'
import { variables } from '../src/config/sources.ts'
import { assay } from './cli.ts'

const file = (name: string) => readFileSync(resolve(import.meta.dirname, '..', name), 'utf8')
const page = (name: string) => file(`docs/${name}`)

describe('docs/configuration.md', () => {
  const rows = page('configuration.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))

  it('has a row for every setting and for nothing else', () => {
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name))
    expect(new Set(named)).toEqual(new Set(Object.keys(members.shape)))
  })

  it('names every variable beside its member', () => {
    for (const { variable, member } of variables()) expect(rows.find((row) => row.includes(`\`${variable}\``))).toContain(`\`${member}\``)
  })
})

describe('the image', () => {
  it.each(['Dockerfile', 'docker-compose.yml'])('sets nothing in %s that the service does not know', (name) => {
    const known = ['ASSAY_CONFIG', ...variables().map(({ variable }) => variable)]
    const set = [...file(name).matchAll(/\b(ASSAY_\w+)(?:=|: )/g)].map(([, variable]) => variable)
    expect(set.length).toBeGreaterThan(1)
    expect(set.filter((variable) => variable === undefined || !known.includes(variable))).toEqual([])
  })

  it('copies what is there', () => {
    const sources = [...file('Dockerfile').matchAll(/^COPY (.+) \S+$/gm)].flatMap(([, names = '']) => names.split(' '))
    expect(sources).toContain('src')
    expect(sources.filter((name) => !existsSync(resolve(import.meta.dirname, '..', name)))).toEqual([])
  })
})

describe('docs/command-line.md', () => {
  const text = page('command-line.md')

  it('names every command, and every option of verify', async () => {
    const help = await assay(['--help'])
    const commands = [...help.out.matchAll(/^ {2}([a-z]+) /gm)].flatMap(([, name]) => (name === undefined || name === 'help' ? [] : [name]))
    expect(commands.length).toBeGreaterThanOrEqual(8)
    for (const command of commands) expect(text).toMatch(new RegExp(`\`${command}[ \`]`))
    const verify = await assay(['verify', '--help'])
    const options = [...verify.out.matchAll(/--[a-z-]+/g)].map(([option]) => option)
    expect(options.filter((option) => option !== '--help' && !text.includes(option))).toEqual([])
  })
})
