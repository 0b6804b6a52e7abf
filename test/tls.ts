import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import type { Tls } from '../src/service/server.ts'
import { tempFiles } from './cli.ts'

/** A certificate for 127.0.0.1 that lives as long as a test. Its files are gone when it is there. */
export function selfSigned(name = 'localhost'): Tls {
  const files = tempFiles()
  try {
    const [key, cert] = [files.path('key'), files.path('crt')]
    const subject = ['-subj', `/CN=${name}`, '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2']
    const ec = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']
    execFileSync('openssl', ['req', '-x509', ...ec, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' })
    return { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
  } finally {
    files.remove()
  }
}
