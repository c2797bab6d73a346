import { TypeCompiler } from '@sinclair/typebox/compiler'
import { ControlAction } from '../schemas/bus.ts'
import type { BusEvent } from './broker.ts'

/**
 * The format of an event on the bus between instances. All integers are big-endian.
 *
 *   byte 0       version of this format
 *   byte 1       kind: 1 entries, 2 notice, 3 control
 *   bytes 2–9    the publishing instance
 *   entries:     first seq as double (8), number of frames (4), the end of each frame (4 each), the frames
 *   notice:      the frame
 *   control:     the action as JSON
 */
const VERSION = 1
const ENTRIES = 1
const NOTICE = 2
const CONTROL = 3
const HEADER = 10
/** Larger messages are dropped, because reading them would block the process. Their content is found in the database. */
const MAX_BYTES = 16_777_216
const MAX_CONTROL_BYTES = 4_194_304
export const INSTANCE_BYTES = 8

const actions = TypeCompiler.Compile(ControlAction)

export function encodeEvent (event: BusEvent, instance: Buffer): Buffer {
  switch (event.kind) {
    case 'entries': {
      const { firstSeq, frames, ends } = event
      const message = allocate(ENTRIES, instance, 12 + 4 * ends.length + frames.length)
      message.writeDoubleBE(firstSeq, HEADER)
      let at = message.writeUInt32BE(ends.length, HEADER + 8)
      for (const end of ends) at = message.writeUInt32BE(end, at)
      frames.copy(message, at)
      return message
    }
    case 'notice': {
      const message = allocate(NOTICE, instance, event.frame.length)
      event.frame.copy(message, HEADER)
      return message
    }
    case 'control': {
      const json = Buffer.from(JSON.stringify(event.action))
      const message = allocate(CONTROL, instance, json.length)
      json.copy(message, HEADER)
      return message
    }
  }
}

function allocate (kind: number, instance: Buffer, size: number): Buffer {
  const message = Buffer.allocUnsafe(HEADER + size)
  message[0] = VERSION
  message[1] = kind
  instance.copy(message, 2)
  return message
}

/** Returns whether `instance` itself published the message. */
export function isEcho (message: Buffer, instance: Buffer): boolean {
  return message.length >= HEADER && message.compare(instance, 0, INSTANCE_BYTES, 2, HEADER) === 0
}

/** Decodes a message. The event shares the message's memory. Returns undefined for anything but a valid message of this version. */
export function decodeEvent (message: Buffer): BusEvent | undefined {
  if (message.length < HEADER || message.length > MAX_BYTES || message[0] !== VERSION) return undefined
  switch (message[1]) {
    case ENTRIES: return decodeEntries(message)
    case NOTICE: return { kind: 'notice', frame: message.subarray(HEADER) }
    case CONTROL: return decodeControl(message)
    default: return undefined
  }
}

function decodeEntries (message: Buffer): BusEvent | undefined {
  if (message.length < HEADER + 12) return undefined
  const firstSeq = message.readDoubleBE(HEADER)
  const count = message.readUInt32BE(HEADER + 8)
  const start = HEADER + 12 + 4 * count
  const isRange = firstSeq >= 0 && Number.isSafeInteger(firstSeq) && Number.isSafeInteger(firstSeq + count - 1)
  if (!isRange || message.length < start) return undefined

  const frames = message.subarray(start)
  const ends: number[] = []
  let previous = 0
  for (let at = HEADER + 12; at < start; at += 4) {
    const end = message.readUInt32BE(at)
    if (end < previous || end > frames.length) return undefined
    ends.push(previous = end)
  }
  return previous === frames.length ? { kind: 'entries', firstSeq, frames, ends } : undefined
}

function decodeControl (message: Buffer): BusEvent | undefined {
  if (message.length > MAX_CONTROL_BYTES) return undefined
  try {
    const action: unknown = JSON.parse(message.toString('utf8', HEADER))
    return actions.Check(action) ? { kind: 'control', action } : undefined
  } catch {
    return undefined
  }
}
