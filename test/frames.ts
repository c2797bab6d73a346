import type { TSchema } from '@sinclair/typebox'
import { TypeCompiler, type TypeCheck } from '@sinclair/typebox/compiler'
import { table } from '../src/requests/table.ts'
import { notices as ownNotices } from '../src/schemas/protocol.ts'
import type { Frame } from './client.ts'

type Checks = Map<string, TypeCheck<TSchema>>
const compile = (schemas: Array<[string, TSchema]>): Checks =>
  new Map(schemas.map(([name, schema]) => [name, TypeCompiler.Compile(schema)]))

const rows = Object.values(table)
/** What `success` replies carry, by their `action`. */
const data = compile(rows.flatMap(({ reply }) => 'action' in reply ? [[reply.action, reply.data]] : []))
/** Replies that are frames of their own `type`, and notices. */
const frames = compile([
  ...Object.entries(ownNotices),
  ...rows.flatMap(({ reply, notices = {} }) =>
    [...'type' in reply ? [[reply.type, reply.fields] as [string, TSchema]] : [], ...Object.entries(notices)])
])

/** @throws Error where a frame of the server is not what its schema says. Error frames are not judged. */
export function checkFrame (frame: Frame): void {
  const [check, value] = frame.type === 'success' ? [data.get(frame.action), frame.data] : [frames.get(frame.type), frame]
  if (!check || check.Check(value)) return
  const { path, message } = check.Errors(value).First()!
  throw new Error(`${JSON.stringify(frame)} is not what its schema says: ${path} ${message}`)
}
