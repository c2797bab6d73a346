import { createHash } from 'node:crypto'

/** The stored form of a refresh token or invitation code. Nobody guesses their random bits, so a plain hash reveals nothing. */
export function hashOf (secret: string): Uint8Array<ArrayBuffer> {
  return createHash('sha256').update(secret).digest()
}
