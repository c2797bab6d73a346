import { isUtf8 } from 'node:buffer'
import { keyOf, type Entry } from '../schemas/message.ts'

/** The first byte of a final text frame. */
const TEXT_FRAME = 0x81

/** Makes the text of a frame to a client. */
let toJson: (frame: object) => string = JSON.stringify

/**
 * Shows the text of every frame to `inspect` before it is encoded; null ends that. Frames that several clients get are shown once.
 * Only development and tests inspect frames: production does not call this, so that it costs nothing there.
 */
export function inspectFrames (inspect: ((json: string) => void) | null): void {
  toJson = inspect === null
    ? JSON.stringify
    : frame => {
      const json = JSON.stringify(frame)
      inspect(json)
      return json
    }
}

/** Encodes a frame to a client as it is sent: one unmasked, final text frame (RFC 6455, 5.2). */
export function encode (value: object): Buffer {
  const json = toJson(value)
  const length = Buffer.byteLength(json)
  const head = headSize(length)
  const frame = Buffer.allocUnsafe(head + length)
  writeHead(frame, 0, length)
  frame.write(json, head)
  return frame
}

/** Counts the frames that are joined in a buffer made by this server. */
export function countFrames (frames: Buffer): number {
  let count = 0
  for (let at = 0; at < frames.length; count++) at = endOfFrame(frames, at)
  return count
}

/** Returns where the whole frames within `most` bytes of `start` end, but at least the end of the first. A frame must begin at `start`. */
export function endOfFrames (frames: Buffer, start: number, most: number): number {
  let end = endOfFrame(frames, start)
  while (end < frames.length) {
    const next = endOfFrame(frames, end)
    if (next - start > most) break
    end = next
  }
  return end
}

/**
 * Returns the end and the JSON value of each frame in a buffer of joined frames. @throws for anything but whole frames as `encode` makes
 * them: a client would close the connection on which it receives anything else.
 */
export function readFrames (frames: Buffer): { ends: number[], values: unknown[] } {
  const ends: number[] = []
  const values: unknown[] = []
  for (let at = 0; at < frames.length; at = ends.at(-1)!) {
    const end = endOfFrame(frames, at)
    const start = startOfPayload(frames, at)
    const payload = frames.subarray(start, end)
    if (frames[at] !== TEXT_FRAME || end > frames.length || frames[at + 1] !== lengthByte(end - start) || !isUtf8(payload)) {
      throw new Error('not a whole text frame')
    }
    values.push(parse(payload))
    ends.push(end)
  }
  return { ends, values }
}

/** Parses JSON. The error does not quote the text, because errors are logged and the text may be a message. */
function parse (payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString())
  } catch {
    throw new Error('not JSON')
  }
}

function startOfPayload (frames: Buffer, at: number): number {
  const length = frames[at + 1]!
  return at + (length < 126 ? 2 : length === 126 ? 4 : 10)
}

function endOfFrame (frames: Buffer, at: number): number {
  const length = frames[at + 1]!
  if (length < 126) return at + 2 + length
  if (length === 126) return at + 4 + frames.readUInt16BE(at + 2)
  return at + 10 + Number(frames.readBigUInt64BE(at + 2))
}

/** Encodes consecutive entries of one channel as joined frames, in one buffer that all subscribers share. */
export function encodeEntries (entries: Entry[]): { frames: Buffer, ends: number[], keys: string[] } {
  const texts = entries.map(entry => toJson(entry))
  const lengths = texts.map(text => Buffer.byteLength(text))
  const frames = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + headSize(length) + length, 0))
  const ends: number[] = []
  let at = 0
  for (let i = 0; i < texts.length; i++) {
    at = writeHead(frames, at, lengths[i]!)
    at += frames.write(texts[i]!, at)
    ends.push(at)
  }
  return { frames, ends, keys: entries.map(keyOf) }
}

/** The second byte of an unmasked frame. */
function lengthByte (length: number): number {
  return length < 126 ? length : length < 65_536 ? 126 : 127
}

function headSize (length: number): number {
  return length < 126 ? 2 : length < 65_536 ? 4 : 10
}

/** Writes a frame's head at `at`; returns where its payload starts. */
function writeHead (target: Buffer, at: number, length: number): number {
  target[at] = TEXT_FRAME
  if (length < 126) {
    target[at + 1] = length
    return at + 2
  }
  if (length < 65_536) {
    target[at + 1] = 126
    target.writeUInt16BE(length, at + 2)
    return at + 4
  }
  target[at + 1] = 127
  target.writeBigUInt64BE(BigInt(length), at + 2)
  return at + 10
}
