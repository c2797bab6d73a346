import { ConfigError } from './config-error.ts'

/** A mistake in a connection URL. The text quotes nothing of the URL, because any part of it may belong to the password. */
export class UrlMistake extends Error {}

/**
 * Reads the URL of a database or of Redis with `read`, after checks that hold for both.
 * @param name of the setting, for errors.
 * @throws ConfigError that names the setting and the mistake in one line.
 */
export function readUrl<T> (url: string, name: string, read: (url: string) => T): T {
  try {
    if (/^\s*["'`]|["'`]\s*$/.test(url)) throw new UrlMistake('it has quotes around it: remove them')
    if (/\s/.test(url)) throw new UrlMistake('it contains a space or a line break: remove it, or write a space as %20')
    return read(url)
  } catch (error) {
    throw error instanceof UrlMistake ? new ConfigError(`${name}: ${error.message}`) : error
  }
}

/** Decodes a part of a URL. `what` names the part in errors. */
export function decodePart (part: string, what: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new UrlMistake(`${what} contains a bare %: write it as %25`)
  }
}

/** Reads a port. `hint` says what else may be wrong with the URL. */
export function readPort (text: string, hint = ''): number {
  const port = Number(text)
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new UrlMistake(`the port is not a number from 1 to 65535${hint}`)
  return port
}

/** Returns hosts and path of a connection URL, without credentials and parameters, for people and for the log. */
export function placeOf (url: string): string {
  return /^[\w+]+:\/\/(?:[^?]*@)?([^?]*)/.exec(url)?.[1] ?? ''
}
