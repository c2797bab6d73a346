import { TypeCompiler } from '@sinclair/typebox/compiler'
import { AppError } from '../errors.ts'
import { Ref } from '../schemas/protocol.ts'
import { commands, requests, table, type CommandName, type RequestName } from './table.ts'

/** Deepest nesting of a client's frame [P4]. */
const MAX_DEPTH = 16
/** How much of a client's own text (a type, a command) an error repeats, in characters. */
const ECHO_LIMIT = 64

const isRef = TypeCompiler.Compile(Ref)
const fieldNames = new Set(['type', 'command', 'ref', ...Object.values(table).flatMap(({ fields }) => Object.keys(fields))])
/** Names as constants: to count by them costs no search for their text. */
const requestKinds = constants(Object.keys(requests) as RequestName[])
const commandKinds = constants(Object.keys(commands) as CommandName[])

/** A client's frame before its fields have been checked. */
export interface Envelope {
  type: string
  /** Set where the frame is a channel command, whatever its `type`. */
  command: string | undefined
  kind: RequestKind
  ref: Ref | undefined
  body: Record<string, unknown>
}

/** What a frame asks for, by a name of the table: a client's own text must not reach counters or logs. */
export type RequestKind = RequestName | CommandName | 'unknown'

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
    // The value of a `type` that is an object is not kept; `echo` says all of it that is needed.
    body: known(typeof fields.type === 'object' ? { ...fields, type } : fields)
  }
}

function kindOf (type: string, command: string | undefined): RequestKind {
  return (command === undefined ? requestKinds.get(type) : commandKinds.get(command)) ?? 'unknown'
}

/** The text of a type or command, which an error repeats where it is unknown [P9]. */
function echo (value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

export function unknown (code: 'unknown_type' | 'unknown_command', text: string): AppError {
  return new AppError(code, { detail: [...text.slice(0, 2 * ECHO_LIMIT)].slice(0, ECHO_LIMIT).join('').toWellFormed() })
}

/** Drops fields that no request has: they might hold megabytes for as long as the request is under way. */
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

function constants<K extends string> (names: K[]): Map<string, K> {
  return new Map(names.map(name => [name, name]))
}
