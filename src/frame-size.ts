import type { Config } from './config.ts'

/**
 * More than all of a frame takes besides what its length is judged by, a message's text or a list's items: names, ids, times and a `ref`,
 * each as long as it may be and written with six bytes a character, as JSON writes control characters.
 */
const ENVELOPE_BYTES = 2048
/** What JSON may make of one code point of a text: of ours, `\u0001`; of a client that writes ASCII only, a pair such as `\ud83d\ude00`. */
const BYTES_WE_WRITE = 6
const BYTES_CLIENTS_WRITE = 12

/** No reply and no notice takes more bytes: two of them may wait for one connection [P59]. */
export function maxFrameBytes ({ max_buffered: maxBuffered }: Pick<Config['performance'], 'max_buffered'>): number {
  return Math.floor(maxBuffered / 2)
}

/** Bytes of JSON that a reply's list may take, or a notice's text, so that the whole frame stays within `maxFrameBytes`. */
export function maxItemBytes (performance: Pick<Config['performance'], 'max_buffered'>): number {
  return maxFrameBytes(performance) - ENVELOPE_BYTES
}

/** Bytes that a text of so many code points may take in a reply that holds its entry, whatever the characters. */
export function largestReply (codePoints: number): number {
  return codePoints * BYTES_WE_WRITE + 2 * ENVELOPE_BYTES
}

/** Bytes that a client's frame with a text of so many code points may take, however the client writes JSON. */
export function largestRequest (codePoints: number): number {
  return codePoints * BYTES_CLIENTS_WRITE + ENVELOPE_BYTES
}

/** Bytes that the value takes as JSON. */
export function jsonSize (value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value))
}
