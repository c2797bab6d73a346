import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import type { Hub } from '../connections/hub.ts'
import type { RequestCost } from '../connections/limits.ts'
import type { Reply } from '../connections/reply.ts'
import type { Session } from '../connections/session.ts'
import type { Auth } from '../services/auth.ts'
import type { Channels } from '../services/channels.ts'
import type { Guests } from '../services/guests.ts'
import type { Memberships } from '../services/memberships.ts'
import type { Messages } from '../services/messages.ts'
import type { Moderation } from '../services/moderation.ts'
import type { Functions } from '../store/functions.ts'
import type { Actor } from '../store/users.ts'

/**
 * Who may ask. The dispatcher judges only whether the connection is authenticated; everything else is judged by the database in the
 * statement that reads or writes [P55]. A moderator here is whoever docs/protocol.md calls "can-moderate".
 */
export type Who =
  | 'anyone'
  | 'user'
  | 'creator or admin'
  | 'moderator'
  | 'moderator not below the target'
  | 'author'
  | 'author, or moderator not below them'

/** What commands use. */
export interface Services extends Pick<Functions, 'call'> {
  channels: Channels
  memberships: Memberships
  messages: Messages
  moderation: Moderation
}

/** What requests about the connection itself use besides. */
export interface RequestContext extends Services {
  hub: Hub
  auth: Pick<Auth, 'verifyAccess'>
  guests: Guests
  /** False: whoever brings no token is a guest [P16]. */
  authenticationEnabled: boolean
  /** The most entries that a join may miss and still get [P30]. */
  resumeLimit: number
  /** Bytes that the items of a list in a reply may take as JSON, `messages` of a join among them [P59]. */
  maxItems: number
}

interface CommonRow<F extends TProperties> {
  /** The frame's fields besides `ref` and its name. Unknown extra fields are ignored [P9]. */
  fields: F
  who: Who
  /** Frames that others get because of it, by `type`: docs/protocol.md, "Server → client, unasked". */
  notices?: Record<string, TObject>
}

/** A frame known by its `type`: it concerns the connection that sends it. */
export interface RequestRow<F extends TProperties = TProperties> extends CommonRow<F> {
  kind: 'request'
  /** The reply's `action` and `data`, or a frame of its own `type`. */
  reply: { action: string, data: TSchema } | { type: string, fields: TSchema }
  /** A limit that binds it besides those of all frames [P35]; every command has one. */
  cost?: RequestCost
  /** The REST route that does the same, as `METHOD path`; written by hand in routes/. */
  route?: string
  /** Absent for `send_message` alone, whose reply waits for a commit and not for its turn. */
  answer? (context: RequestContext, session: Session, fields: Static<TObject<F>>): Promise<Reply> | Reply
}

/** A frame with a `command`, whatever its `type`; REST has the same, derived from this row. */
export interface CommandRow<F extends TProperties = TProperties, R extends TSchema = TSchema> extends CommonRow<F> {
  kind: 'command'
  /** The `action` of the reply. */
  action: string
  /** What `run` resolves with, and what the reply has as `data` if `shown` does not say otherwise. */
  result: R
  /** The reply's `data`, where it is another one than the result. */
  shown?: { data: TSchema, of (result: Static<R>): object }
  rest: RestRoute
  /** @throws AppError where it is refused. */
  run (services: Services, actor: Actor, fields: Static<TObject<F>>): Promise<Static<R>>
}

/** The fields that the path does not name are the body. In a path, `:name` is the channel's. */
export interface RestRoute {
  /** `METHOD path`. */
  route: string
  tag: string
  summary: string
  /** 204: the answer has no body. Otherwise it is the result. */
  status: 200 | 201 | 204
  /** Fields that only frames have. */
  without?: string[]
  /** What the same call means where `:user_id` is the caller's own id. */
  self? (services: Services, actor: Actor, channelName: string): Promise<unknown>
}

export type Row = RequestRow | CommandRow

/** Lets the compiler infer the types of a row's fields and result. */
export function request<F extends TProperties> (row: Omit<RequestRow<F>, 'kind'>): RequestRow<F> {
  return { kind: 'request', ...row }
}

export function command<F extends TProperties, R extends TSchema> (row: Omit<CommandRow<F, R>, 'kind'>): CommandRow<F, R> {
  return { kind: 'command', ...row }
}
