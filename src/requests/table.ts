import { commands as channels } from './channels.ts'
import { requests as connection } from './connection.ts'
import { requests as lists } from './lists.ts'
import { commands as changes, requests as messages } from './messages.ts'
import { commands as moderation } from './moderation.ts'
import { requests as people } from './people.ts'
import { commands as reactions } from './reactions.ts'
import { requests as reads } from './reads.ts'
import { commands as reports } from './reports.ts'
import type { CommandRow, Row } from './row.ts'
import { requests as subscriptions } from './subscriptions.ts'
import { requests as watching } from './watching.ts'

/** Requests by their `type`. */
export const requests = { ...connection, ...subscriptions, ...messages, ...reads, ...lists, ...people, ...watching }
const commandRows = { ...channels, ...changes, ...reactions, ...moderation, ...reports }

export type RequestName = keyof typeof requests
export type CommandName = keyof typeof commandRows

/** Commands by their `command`. */
export const commands: Record<CommandName, CommandRow> = commandRows

/**
 * All requests and commands by their names in frames. The dispatcher, the REST routes of commands, the OpenAPI document, the labels of
 * metrics and the authorization tests derive from this table. CONTRIBUTING.md says how to add a row.
 */
export const table: Record<string, Row> = { ...requests, ...commands }
