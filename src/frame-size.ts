import type { Config } from './config-schema.ts'

/**
 * Upper bound for the bytes of a frame besides its variable part, which is a message's text or a list's items. It allows for names, ids,
 * times and a `ref`, each of the greatest length and written with six bytes a character, as JSON writes control characters.
 */
const ENVELOPE_BYTES = 2048
/** Bytes of JSON that this server writes for one code point of a text at most, as in `\u0001`. */
const BYTES_WE_WRITE = 6
/** Bytes of JSON that a client writes for one code point of a text at most: a pair such as `\ud83d\ude00`, if it writes only ASCII. */
const BYTES_CLIENTS_WRITE = 12

/** Bytes that a reply or a notice may have. Two of them may wait for one connection [P59]. */
export function maxFrameBytes ({ max_buffered: maxBuffered }: Pick<Config['performance'], 'max_buffered'>): number {
  return Math.floor(maxBuffered / 2)
}

/** Bytes of JSON that a reply's list may take, or a notice's text, so that the whole frame stays within `maxFrameBytes`. */
export function maxItemBytes (performance: Pick<Config['performance'], 'max_buffered'>): number {
  return maxFrameBytes(performance) - ENVELOPE_BYTES
}

/** Bytes that a reply needs at most for an entry with this many code points of text and bytes of data, whatever the characters. */
export function largestReply (codePoints: number, dataBytes: number): number {
  return codePoints * BYTES_WE_WRITE + dataBytes + 2 * ENVELOPE_BYTES
}

/** Bytes that a client's frame needs at most for a text with this many code points, however the client writes JSON. */
export function largestRequest (codePoints: number): number {
  return codePoints * BYTES_CLIENTS_WRITE + ENVELOPE_BYTES
}

/** Bytes that the value takes as JSON. */
export function jsonSize (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
