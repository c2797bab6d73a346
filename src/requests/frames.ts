import { Type, type TObject } from '@sinclair/typebox'
import { frameErrors, type ErrorCode, type FrameError } from '../errors.ts'
import { ErrorFrame, notices, Ref } from '../schemas/protocol.ts'
import type { Row } from './row.ts'
import { table } from './table.ts'

const ref = { ref: Type.Optional(Ref) }

/** Frames that the server sends unasked, by `type`. */
export const noticeFrames: Record<string, TObject> = Object.fromEntries(
  [...Object.values(table).flatMap(({ notices = {} }) => Object.entries(notices)), ...Object.entries(notices)]
    .map(([type, { properties, description }]) =>
      [type, Type.Object({ type: Type.Literal(type), ...properties }, { ...description !== undefined && { description } })]))

/** The frame that makes a request, or gives a command. */
export function requestFrame (name: string, { kind, fields }: Row): TObject {
  const { type: _, ...given } = fields
  if (kind === 'request') return Type.Object({ type: Type.Literal(name), ...ref, ...given })
  const type = Type.Optional(Type.String({ description: 'any word: `command` names the request', examples: ['command'] }))
  return Type.Object({ type, command: Type.Literal(name), ...ref, ...given })
}

/** The frame that answers a request or command which is not refused. */
export function replyFrame ({ reply }: Row): TObject {
  if ('action' in reply) {
    return Type.Object({ type: Type.Literal('success'), action: Type.Literal(reply.action), data: reply.data, ...ref })
  }
  return Type.Object({ type: Type.Literal(reply.type), ...reply.fields.properties, ...ref })
}

/** The errors that may answer any request whose fields can be read. */
const common: ErrorCode[] = ['invalid_frame', 'rate_limited', 'busy', 'unavailable', 'internal']

/** The codes of all errors that may answer a request or command: those of its fields and of its rights, and those that its row names. */
export function errorsOf ({ who, fields, errors = [] }: Row): FrameError[] {
  const ofFields = Object.values(fields).flatMap(({ whenMissing = [], whenInvalid = [] }) => [whenMissing, whenInvalid].flat())
  const ofRights: ErrorCode[] = who === 'anyone'
    ? []
    : who === 'user' ? ['not_authenticated', 'authentication_failed'] : ['not_authenticated', 'authentication_failed', 'not_authorized']
  const possible = new Set<ErrorCode>([...common, ...ofFields, ...ofRights, ...errors])
  return (Object.keys(frameErrors) as FrameError[]).filter(code => possible.has(code))
}

/** All frames that the server sends, by `nameOf`. */
export const sentFrames: Map<string, TObject> = new Map(
  [...Object.values(table).map(replyFrame), ...Object.values(noticeFrames), ErrorFrame as TObject].map(frame => {
    const { type, action } = frame.properties
    return [nameOf({ type: type!.const, action: action?.const }), frame]
  }))

/** Names the kind of a frame of the server: its `type`, with the `action` of a success. */
export function nameOf ({ type, action }: { type?: unknown, action?: unknown }): string {
  return type === 'success' ? `success ${String(action)}` : String(type)
}
