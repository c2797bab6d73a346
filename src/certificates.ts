import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----/gs
/** Characters of a wrong value that an error shows. */
const SHOWN = 60

/**
 * Reads certificates from a setting: PEM text, or the path of a PEM file. Some platforms turn the line breaks of PEM text into spaces or
 * into the two characters `\n`; such text can be read too.
 * @param name of the setting, for errors.
 * @returns the certificates as PEM text.
 * @throws ConfigError of one line if there is no such file, or no certificate in it.
 */
export function readCertificates (text: string, name: string): string {
  const isPem = text.includes('-----BEGIN')
  const certificates = [...(isPem ? text : readPath(text, name)).matchAll(CERTIFICATE)].map(([, body = '']) => pem(body))
  const place = isPem ? name : `${name}: ${shown(text)}`
  if (certificates.length === 0) throw new ConfigError(`${place} has no certificate: PEM text with -----BEGIN CERTIFICATE----- is needed`)
  certificates.forEach((certificate, i) => {
    if (!isCertificate(certificate)) throw new ConfigError(`${place}: certificate ${i + 1} of ${certificates.length} is damaged`)
  })
  return certificates.join('')
}

function readPath (path: string, name: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    // A path with a null byte has no `code` that says more than the message.
    const { code = 'unreadable' } = error as NodeJS.ErrnoException
    throw new ConfigError(`${name} must be PEM text or the path of a PEM file, not ${shown(path)} (${code})`)
  }
}

function shown (text: string): string {
  return JSON.stringify(text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text)
}

/** Writes the base64 text with the line breaks that PEM demands. */
function pem (body: string): string {
  const lines = body.replace(/\\[rn]|\s/g, '').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}

function isCertificate (text: string): boolean {
  try {
    return new X509Certificate(text).raw.length > 0
  } catch {
    return false
  }
}
