import { commands as channels } from './channels.ts'
import { requests as connection } from './connection.ts'
import { requests as lists } from './lists.ts'
import { commands as changes, requests as messages } from './messages.ts'
import { commands as moderation } from './moderation.ts'
import type { CommandRow, Row } from './row.ts'
import { requests as subscriptions } from './subscriptions.ts'

/** Frames by `type`. */
export const requests = { ...connection, ...subscriptions, ...messages, ...lists }
/** Frames by `command`. */
export const commands = { ...channels, ...changes, ...moderation }

export type RequestName = keyof typeof requests
export type CommandName = keyof typeof commands

/**
 * Everything that a client may ask, by its name on the wire. The dispatcher, the REST routes of commands, the OpenAPI document, the labels
 * of metrics and the authorization tests are made of it; CONTRIBUTING.md says how a row is added.
 */
export const table: Record<string, Row> = { ...requests, ...commands }

export const commandRows: Record<CommandName, CommandRow> = commands
