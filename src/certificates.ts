import { readFileSync } from 'node:fs'
import { ConfigError } from './config-error.ts'

/**
 * Returns PEM certificates, given as text (platforms often write line breaks as `\n`) or as the path of a file. `name` is that of the
 * setting, for the error.
 * @throws ConfigError if it is neither.
 */
export function readCertificates (given: string, name: string): string {
  if (given.includes('-----BEGIN CERTIFICATE-----')) return given.replaceAll('\\n', '\n')
  let text: string
  try {
    text = readFileSync(given, 'utf8')
  } catch (error) {
    throw new ConfigError(`${name} is neither PEM text nor a readable file: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`)
  }
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new ConfigError(`${name} names a file without a PEM certificate`)
}
