import type { Static, TObject, TProperties, TSchema } from '@sinclair/typebox'
import type { Activity } from '../connections/activity.ts'
import type { Hub } from '../connections/hub.ts'
import type { RequestCost } from '../connections/limits.ts'
import type { Reply } from '../connections/reply.ts'
import type { Session } from '../connections/session.ts'
import type { Tracer } from '../connections/tracer.ts'
import type { Watchers } from '../connections/watchers.ts'
import type { FrameError } from '../errors.ts'
import type { Auth } from '../services/auth.ts'
import type { Blocks } from '../services/blocks.ts'
import type { Channels } from '../services/channels.ts'
import type { Directs } from '../services/directs.ts'
import type { Guests } from '../services/guests.ts'
import type { Memberships } from '../services/memberships.ts'
import type { Messages } from '../services/messages.ts'
import type { Moderation } from '../services/moderation.ts'
import type { Reads } from '../services/reads.ts'
import type { Reports } from '../services/reports.ts'
import type { Signals } from '../services/signals.ts'
import type { Watching } from '../services/watching.ts'
import type { Functions } from '../store/functions.ts'
import type { Actor } from '../store/users.ts'
import { withHandle, type HandleLookup } from './target.ts'

/**
 * Who may make a request. The dispatcher checks only whether the connection is authenticated. The database checks everything else in the
 * statement that reads or writes [P55]. `member`: not a guest, who has no commands [P16]. `moderator` is what docs/protocol.md calls
 * "can-moderate".
 */
export type Who =
  | 'anyone'
  | 'user'
  | 'registered user'
  | 'member'
  | 'creator or admin'
  | 'moderator'
  | 'moderator not below the target'
  | 'author'
  | 'author, or moderator not below them'
  | 'member except the author'
  | 'admin'

/** The services that commands use. */
export interface Services extends Pick<Functions, 'call'>, HandleLookup {
  channels: Channels
  memberships: Memberships
  messages: Messages
  moderation: Moderation
  reports: Reports
}

/** The services and settings that requests other than commands use in addition. */
export interface RequestContext extends Services {
  hub: Hub
  activity: Activity
  auth: Pick<Auth, 'verifyAccess'>
  guests: Guests
  signals: Signals
  reads: Reads
  directs: Directs
  blocks: Blocks
  watching: Watching
  watchers: Watchers
  tracer: Tracer
  /** Id of this instance, for as long as it runs. */
  instance: string
  /** Whether a client without a token becomes a guest [P16]. */
  admitsGuests: boolean
  /** Most entries that a client may have missed and still receive when it rejoins [P30]. */
  resumeLimit: number
  /** Most bytes that the items of a list in a reply may take as JSON, including `messages` of a join [P59]. */
  maxItems: number
}

interface SuccessReply { action: string, data: TSchema }

interface CommonRow<F extends TProperties> {
  /**
   * The frame's fields besides `ref` and the name of the request. Unknown extra fields are ignored [P9]. Where there is a `user_id`, a
   * client may give a `handle` instead [P65].
   */
  fields: F
  who: Who
  /** Sentences that describe the request in docs/asyncapi.json, with the numbers of the rules. */
  about: string
  /** The errors that refuse the request, besides those that `errorsOf` finds by itself. */
  errors?: FrameError[]
  /** The `action` and `data` of a `success` reply, or a reply with a `type` of its own. */
  reply: SuccessReply | { type: string, fields: TSchema }
  /** Unrequested frames that clients get because of the request, by `type`: docs/protocol.md, "Server → client, unasked". */
  notices?: Record<string, TObject>
}

/** A frame that is identified by its `type`. It concerns the connection that sends it. */
export interface RequestRow<F extends TProperties = TProperties> extends CommonRow<F> {
  kind: 'request'
  /** The limit that the request counts towards, besides those of all frames [P35]. Every command has one. */
  cost?: RequestCost
  /** The REST route that does the same, as `METHOD path`. It is written by hand in routes/. */
  route?: string
  /** Answers the request. Only `send_message` has none, because its reply comes after a commit; see `handleSend`. */
  answer? (context: RequestContext, session: Session, fields: Static<TObject<F>>): Promise<Reply> | Reply
}

/** A frame with a `command`, whatever its `type`. The REST route of the command is derived from this row. */
export interface CommandRow<F extends TProperties = TProperties, R extends TSchema = TSchema> extends CommonRow<F> {
  kind: 'command'
  reply: SuccessReply
  /** The value that `run` resolves with. It is the reply's `data` unless `shown` is set. */
  result: R
  /** The reply's `data`, if it differs from the result. */
  shown?: { data: TSchema, of (result: Static<R>): object }
  rest: RestRoute
  /** True if a connection needs a subscription to the channel. REST needs none. */
  subscribed?: true
  /** @throws AppError if the command is refused. */
  run (services: Services, actor: Actor, fields: Static<TObject<F>>): Promise<Static<R>>
}

/** The REST route of a command. Fields that the path does not contain are in the body. In the path, `:name` is the channel's name. */
export interface RestRoute {
  /** `METHOD path`. */
  route: string
  tag: string
  summary: string
  /** With 204 the response has no body; otherwise its body is the result. */
  status: 200 | 201 | 204
  /** Fields that frames have and REST does not. */
  without?: string[]
  /** Runs instead of the command if `:user_id` is the caller's own id. */
  self? (services: Services, actor: Actor, channelName: string): Promise<unknown>
}

export type Row = RequestRow | CommandRow

/** Lets the compiler infer the types of a row's fields and result. */
export function request<F extends TProperties> (row: Omit<RequestRow<F>, 'kind'>): RequestRow<F> {
  return { kind: 'request', ...row, fields: withHandle(row.fields) }
}

export function command<F extends TProperties, R extends TSchema> (
  { action, ...row }: Omit<CommandRow<F, R>, 'kind' | 'reply'> & { action: string }
): CommandRow<F, R> {
  return { kind: 'command', reply: { action, data: row.shown?.data ?? row.result }, ...row, fields: withHandle(row.fields) }
}
