import type { Wire } from './generated/wire.ts'

export type {
  Ban, Channel as ChannelInfo, Entry, ErrorCode, Login, Member, Message, Moderator, Mute, Person, Receipt, Signal, User
} from './generated/wire.ts'

/** Every request and command of the protocol, by name, with its fields and what its reply carries. */
export type Requests = Wire['Requests']
/** Every frame that the server sends unasked, by type. */
export type Notices = Wire['Notices']
/** Every REST call, by `METHOD path`. */
export type Routes = Wire['Routes']

/** The fields of a request. */
export type Fields<K extends keyof Requests> = Requests[K]['fields']
/** What the reply to a request carries. */
export type Reply<K extends keyof Requests> = Requests[K]['reply']

/** Any JSON value. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json }

/** The user of a connection. */
export type Me = Omit<Reply<'authenticate'>, 'expires_at'>
