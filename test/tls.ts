import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A certificate, as PEM text, and the paths of it and its key. */
export interface Certificate { pem: string, path: string, key: string }

/** Makes certificates with `openssl` in this folder. */
export function createCertificates (folder: string) {
  mkdirSync(folder, { recursive: true })
  const openssl = (...args: string[]): void => { execFileSync('openssl', args, { cwd: folder, stdio: 'pipe' }) }
  const newKey = (name: string): string[] =>
    ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', `${name}.key`, '-subj', `/CN=${name}`]
  const read = (name: string): Certificate =>
    ({ pem: readFileSync(join(folder, `${name}.pem`), 'utf8'), path: join(folder, `${name}.pem`), key: join(folder, `${name}.key`) })

  return {
    /** A certificate that is its own authority. `names` as in `subjectAltName`. */
    selfSigned (name: string, names = 'DNS:localhost,IP:127.0.0.1'): Certificate {
      openssl('req', '-x509', ...newKey(name), '-days', '30', '-addext', `subjectAltName=${names}`, '-out', `${name}.pem`)
      return read(name)
    },
    /** A certificate that `authority` has signed. With negative `days` it has expired. */
    signed (authority: Certificate, name: string, names = 'DNS:localhost,IP:127.0.0.1', days = 30): Certificate {
      openssl('req', ...newKey(name), '-addext', `subjectAltName=${names}`, '-out', `${name}.csr`)
      openssl('x509', '-req', '-in', `${name}.csr`, '-copy_extensions', 'copy', '-CA', authority.path, '-CAkey', authority.key,
        '-days', String(days), '-out', `${name}.pem`)
      return read(name)
    }
  }
}
