import type { ChannelType } from '../../src/schemas/common.ts'
import type { Person } from './people.ts'

/** The community as the demo writes it into the database. All times are Unix milliseconds. */
export interface Community {
  accounts: Account[]
  channels: Channel[]
  reports: Report[]
  log: LogLine[]
}

export interface Account extends Person { id: string, createdAt: number }

export interface Channel {
  id: string
  name: string
  type: ChannelType
  topic: string
  /** Null for the default channel, which the server makes, and for direct channels. */
  createdBy: Account | null
  createdAt: number
  /** How many changes have ended a membership or muted somebody. */
  aclVersion: number
  members: Member[]
  moderators: Account[]
  /** In the order of their `seq`, which begins at 1. */
  entries: Entry[]
  bans: Array<Sanction & { reason: string }>
  mutes: Sanction[]
  invitations: Array<{ account: Account, by: Account, at: number }>
}

export interface Member {
  account: Account
  joinedAt: number
  readSeq: number
}

/** A ban or a mute, from `at` until `expiresAt`. */
export interface Sanction { account: Account, by: Account, at: number, expiresAt: number }

interface EntryBase { at: number, by: Account, seq: number }

export interface Message extends EntryBase {
  kind: 'message'
  id: string
  text: string
  replyTo: Message | undefined
  editedAt: number | undefined
  deletedAt: number | undefined
}

export interface Change extends EntryBase { kind: 'edited' | 'deleted', message: Message }

export interface Reaction extends EntryBase {
  kind: 'reaction'
  message: Message
  reaction: string
  added: boolean
  /** Whether the reaction stands. */
  current: boolean
}

export type Entry = Message | Change | Reaction

export interface Report {
  id: string
  channel: Channel
  message: Message
  by: Account
  at: number
  reason: string
  settled?: { resolution: 'dismissed' | 'removed' | 'sanctioned', by: Account, at: number }
}

export interface LogLine {
  at: number
  /** Null for the operator at the command line. */
  by: Account | null
  action: string
  target?: Account
  channel?: Channel
  reason?: string
  expiresAt?: number
}
