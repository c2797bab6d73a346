import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import type { Row } from '../src/requests/row.ts'
import { table } from '../src/requests/table.ts'
import type { Frame } from './client.ts'

type Checks = Map<string, TypeCheck<TSchema>>
const compile = (schemas: Array<[string, TSchema]>): Checks =>
  new Map(schemas.map(([name, schema]) => [name, TypeCompiler.Compile(schema)]))

const rows = Object.values(table)
/** What replies carry, by their `action`. */
const data = compile(rows.flatMap(replyOf))
/** Replies that are frames of their own `type`, and notices. */
const frames = compile(rows.flatMap(row => [...frameOf(row), ...Object.entries(row.notices ?? {})]))

/** @throws Error where a frame of the server is not what the table of requests says of it. Other frames are not judged. */
export function checkFrame (frame: Frame): void {
  const [check, value] = frame.type === 'success' ? [data.get(frame.action), frame.data] : [frames.get(frame.type), frame]
  if (!check || check.Check(value)) return
  const { path, message } = check.Errors(value).First()!
  throw new Error(`${JSON.stringify(frame)} is not what its schema says: ${path} ${message}`)
}

function replyOf (row: Row): Array<[string, TSchema]> {
  if (row.kind === 'command') return [[row.action, row.shown?.data ?? row.result]]
  return 'action' in row.reply ? [[row.reply.action, row.reply.data]] : []
}

function frameOf (row: Row): Array<[string, TSchema]> {
  return row.kind === 'request' && 'type' in row.reply ? [[row.reply.type, row.reply.fields]] : []
}
