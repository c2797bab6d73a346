import { isUtf8 } from 'node:buffer'
import type { Static } from '@sinclair/typebox'
import { TypeCompiler } from '@sinclair/typebox/compiler'
import { AppError } from '../errors.ts'
import { compile } from '../schemas/common.ts'
import type { Entry, Receipt } from '../schemas/message.ts'
import { commands, requests, Ref, type CommandType, type RequestType } from '../schemas/protocol.ts'

/** Deepest nesting of a client's frame [P4]. */
const MAX_DEPTH = 16
/** First byte of a final text frame. */
const TEXT_FRAME = 0x81
/** How much of a client's own text (a type, a command) an error repeats, in characters. */
const ECHO_LIMIT = 64

const schemas = { ...requests, ...commands }
const checks = Object.fromEntries(Object.entries(schemas).map(([type, schema]) => [type, compile(schema, 'invalid_frame')])) as
  Record<keyof typeof schemas, (body: unknown) => unknown>
const fieldNames = new Set(['type', 'command', ...Object.values(schemas).flatMap(({ properties }) => Object.keys(properties))])
const isRef = TypeCompiler.Compile(Ref)

/** A client's frame of which only the form of its envelope is known. */
export interface Envelope {
  type: string
  /** Set where the frame is a channel command, whatever its `type`. */
  command: string | undefined
  kind: RequestKind
  ref: Ref | undefined
  body: Record<string, unknown>
}

/** What a frame asks, in one of our own words: a client's must not reach counters or logs. */
export type RequestKind = RequestType | CommandType | 'unknown'

/**
 * Reads one text frame as far as its envelope.
 * @throws AppError `invalid_json`, `invalid_frame` [P4]. Type and fields are judged later, in the order of [P9].
 */
export function decode (frame: Buffer): Envelope {
  let body: unknown
  try {
    body = JSON.parse(frame.toString())
  } catch {
    throw new AppError('invalid_json')
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new AppError('invalid_frame', { detail: 'expected an object' })
  }
  if (deeperThan(body, MAX_DEPTH)) throw new AppError('invalid_frame', { detail: `nested deeper than ${MAX_DEPTH}` })
  const fields = body as Record<string, unknown>
  const type = echo(fields.type)
  const command = Object.hasOwn(body, 'command') || type === 'command' ? echo(fields.command) : undefined
  const { ref } = fields
  return {
    type,
    command,
    kind: kindOf(type, command),
    ref: isRef.Check(ref) ? ref : undefined,
    // A `type` that is no text means nothing beyond what `echo` says of it.
    body: known(typeof fields.type === 'object' ? { ...fields, type } : fields)
  }
}

/** Every name as its own constant: counting by it then costs no search for the text. */
const kindsOf = <K extends RequestKind>(schemas: Record<K, unknown>): Map<string, K> =>
  new Map((Object.keys(schemas) as K[]).map(name => [name, name]))
const requestKinds = kindsOf(requests)
const commandKinds = kindsOf(commands)

function kindOf (type: string, command: string | undefined): RequestKind {
  return (command === undefined ? requestKinds.get(type) : commandKinds.get(command)) ?? 'unknown'
}

/** The fields of a request or command, checked. @throws AppError as the schema's fields name it, else `invalid_frame`. */
export function fields<T extends RequestType | CommandType> (type: T, body: Record<string, unknown>): Static<typeof schemas[T]> {
  return checks[type](body) as Static<typeof schemas[T]>
}

export function isRequestType (type: string): type is RequestType {
  return Object.hasOwn(requests, type)
}

export function isCommandType (command: string): command is CommandType {
  return Object.hasOwn(commands, command)
}

/** `[P9]` An unknown type or command, as far as an error repeats it. */
function echo (value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

export function unknown (code: 'unknown_type' | 'unknown_command', text: string): AppError {
  return new AppError(code, { detail: [...text.slice(0, 2 * ECHO_LIMIT)].slice(0, ECHO_LIMIT).join('').toWellFormed() })
}

/** Without the fields that no request has: they may take megabytes, for as long as the request is under way. */
function known (fields: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys(fields)
  if (names.every(name => fieldNames.has(name))) return fields
  return Object.fromEntries(names.filter(name => fieldNames.has(name)).map(name => [name, fields[name]]))
}

function deeperThan (value: object, limit: number): boolean {
  if (limit === 0) return true
  for (const child of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof child === 'object' && child !== null && deeperThan(child, limit - 1)) return true
  }
  return false
}

/** A server frame as the bytes that go on the wire: one unmasked, final text frame (RFC 6455, 5.2). */
export function encode (value: object): Buffer {
  return encodeText(JSON.stringify(value))
}

function encodeText (json: string): Buffer {
  const length = Buffer.byteLength(json)
  const head = headSize(length)
  const frame = Buffer.allocUnsafe(head + length)
  writeHead(frame, 0, length)
  frame.write(json, head)
  return frame
}

/** How many frames of ours are joined here. */
export function countFrames (frames: Buffer): number {
  let count = 0
  for (let at = 0; at < frames.length; count++) at = endOfFrame(frames, at)
  return count
}

/** Where the last whole frame ends that lies within `most` bytes from `start`, where a frame begins; at least one frame further. */
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
 * Where each of the frames ends that are joined here, and what it says. @throws for anything but whole frames as `encode` makes
 * them: a client would end the connection that sends it others.
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

/** What is thrown repeats nothing of the text, which may be a message: it is logged. */
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

/** What tells an entry from any other that could have its `seq`. */
export function keyOf ({ type, id }: Entry): string {
  return `${type} ${id}`
}

/** Consecutive entries of one channel as one run of frames, joined once for every subscriber. */
export function encodeEntries (entries: Entry[]): { frames: Buffer, ends: number[], keys: string[] } {
  const texts = entries.map(entry => JSON.stringify(entry))
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

/** The reply to a stored `send_message`: the one reply on the hot path. */
export function encodeSent (receipt: Receipt, ref: Ref | undefined): Buffer {
  return encode({ type: 'success', action: 'message_sent', data: receipt, ...ref !== undefined && { ref } })
}

/** What a client is told of a fault: REST's `invalid_request` has another name here, and a fault of ours none. */
export function toWireError (error: unknown): AppError {
  if (!(error instanceof AppError)) return new AppError('internal')
  return error.code === 'invalid_request' ? new AppError('invalid_frame', { detail: error.detail! }) : error
}

export function encodeError (error: AppError, ref: Ref | undefined): Buffer {
  return encode({
    type: 'error',
    code: error.code,
    message: error.message,
    ...ref !== undefined && { ref },
    ...error.retryAfterMs !== undefined && { retry_after_ms: error.retryAfterMs }
  })
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
