import { TypeCompiler } from '@sinclair/typebox/compiler'
import { AppError } from '../errors.ts'
import { Ref } from '../schemas/protocol.ts'
import { commands, requests, table, type CommandName, type RequestName } from './table.ts'

/** Deepest nesting that a client's frame may have [P4]. */
const MAX_DEPTH = 16
/** Most characters of a client's own text (a type, a command) that an error repeats. */
const ECHO_LIMIT = 64

const isRef = TypeCompiler.Compile(Ref)
const fieldNames = new Set(['type', 'command', 'ref', ...Object.values(table).flatMap(({ fields }) => Object.keys(fields))])
/** From each name to the table's own string, by which a counter is found faster than by an equal string from a client's frame. */
const requestKinds = constants(Object.keys(requests) as RequestName[])
const commandKinds = constants(Object.keys(commands) as CommandName[])

/** A client's frame whose fields have not been checked yet. */
export interface Envelope {
  type: string
  /** Set if the frame is a channel command, whatever its `type`. */
  command: string | undefined
  kind: RequestKind
  ref: Ref | undefined
  body: Record<string, unknown>
}

/** The name in the table of the request that a frame makes: a client's own text must not reach counters or logs. */
export type RequestKind = RequestName | CommandName | 'unknown'

/**
 * Parses a text frame. Its type and fields are checked later, in the order of [P9].
 * @throws AppError `invalid_json`, `invalid_frame` [P4].
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
    // If `type` is an object, keep only its text, because errors need no more of it.
    body: known(typeof fields.type === 'object' ? { ...fields, type } : fields)
  }
}

function kindOf (type: string, command: string | undefined): RequestKind {
  return (command === undefined ? requestKinds.get(type) : commandKinds.get(command)) ?? 'unknown'
}

/** The text of a type or command. An error repeats it if the type or command is unknown [P9]. */
function echo (value: unknown): string {
  return value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value)
}

export function unknown (code: 'unknown_type' | 'unknown_command', text: string): AppError {
  return new AppError(code, { detail: [...text.slice(0, 2 * ECHO_LIMIT)].slice(0, ECHO_LIMIT).join('').toWellFormed() })
}

/** Drops fields that no request has, because they could occupy megabytes for as long as the request runs. */
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
