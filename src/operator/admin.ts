import { AppError } from '../errors.ts'
import { printable } from '../printable.ts'
import type { Role } from '../schemas/common.ts'
import type { ManagedUser } from '../schemas/admin.ts'
import { giveResetCode } from '../services/account-codes.ts'
import { createAdmin, type Admin } from '../services/admin.ts'
import { normaliseEmail } from '../services/email.ts'
import type { Events } from '../services/events.ts'
import type { AccountSecrets, Users } from '../store/users.ts'
import { UsageError, type OperatorCommand, type OperatorContext } from './command.ts'

const USAGE = `usage: npm run admin -- COMMAND
  list [QUERY]                        lists the accounts whose email or name contains QUERY
  promote EMAIL [moderator | admin]   makes the user an admin (the default) or a moderator
  demote EMAIL                        makes the user an ordinary user again
  disable EMAIL                       forbids logins and closes all of the user's connections
  enable EMAIL                        allows logins again
  reset EMAIL                         makes a code with which the user sets a new password, once, within an hour`

interface Context extends OperatorContext { admin: Admin }

/** The subcommands by name, each with the least and the most arguments that it takes. */
const subcommands: Record<string, { takes: [number, number], run (context: Context, ...args: string[]): Promise<string> }> = {
  list: { takes: [0, 1], run: ({ admin }, query) => list(admin, query) },
  promote: { takes: [1, 2], run: (context, email, role = 'admin') => change(context, email!, { role: promotion(role) }) },
  demote: { takes: [1, 1], run: (context, email) => change(context, email!, { role: 'user' }) },
  disable: { takes: [1, 1], run: (context, email) => change(context, email!, { disabled: true }) },
  enable: { takes: [1, 1], run: (context, email) => change(context, email!, { disabled: false }) },
  reset: { takes: [1, 1], run: (context, email) => reset(context, email!) }
}

/** Events have no receivers here. The running server finds the changes in the database by itself [P15] [P33]. */
const ignore = (): void => {}
const events: Events = {
  entriesStored: ignore,
  membershipsEnded: ignore,
  userNotified: ignore,
  usersNotified: ignore,
  channelDeleted: ignore,
  settingsChanged: ignore,
  muteChanged: ignore,
  signalled: ignore,
  directOpened: ignore,
  markerRaised: ignore,
  membersRead: ignore,
  membershipBegan: ignore,
  userChanged: ignore,
  userDisconnected: ignore,
  announced: ignore,
  faultFound: ignore,
  loginRevoked: ignore
}

/**
 * `npm run admin -- COMMAND …` manages accounts for the operator of the server. It only changes the database: a running server applies
 * the change to the user's next frame, and finds the connections that it has to close within seconds.
 */
export const admin: OperatorCommand = ([name = '', ...args]) => {
  const subcommand = Object.hasOwn(subcommands, name) ? subcommands[name] : undefined
  if (!subcommand || args.length < subcommand.takes[0] || args.length > subcommand.takes[1]) throw new UsageError(USAGE)
  if (name === 'promote') promotion(args[1] ?? 'admin')
  return async context => {
    const { accounts, moderation } = context.stores
    const text = await subcommand.run({ ...context, admin: createAdmin({ store: accounts, log: moderation.log, events }) }, ...args)
    if (text !== '') await context.print(text)
  }
}

async function list (admin: Admin, query: string | undefined): Promise<string> {
  const found: ManagedUser[] = []
  let cursor: string | null | undefined
  do {
    const page = await admin.users({ query, limit: 100, ...cursor && { cursor } })
    found.push(...page.users)
    cursor = page.next_cursor
  } while (cursor)
  return tableOf(found)
}

async function find (users: Users, email: string): Promise<AccountSecrets> {
  const found = await users.findByEmail(normaliseEmail(email))
  if (!found) throw new UsageError(`no account has the email ${printable(email)}`)
  return found
}

/** Returns the link of the code, or the code where no `PUBLIC_URL` is set. */
async function reset ({ stores, publicUrl }: Context, email: string): Promise<string> {
  const found = await find(stores.users, email)
  if (found.disabledAt !== null) throw new UsageError(`${printable(email)} is disabled: enable the account first`)
  const { code, link } = await giveResetCode({ store: stores.accountCodes, publicUrl }, null, found.id)
  return link ?? code
}

async function change ({ stores, admin }: Context, email: string, to: { role: Role } | { disabled: boolean }): Promise<string> {
  const found = await find(stores.users, email)
  try {
    return tableOf([await admin.change(null, found.id, to)])
  } catch (error) {
    if (error instanceof AppError && error.code === 'last_admin') {
      throw new UsageError(`${printable(email)} is the last enabled admin: promote another account first`)
    }
    throw error
  }
}

function promotion (role: string): Role {
  if (role !== 'moderator' && role !== 'admin') throw new UsageError(`${printable(role)}: promote to moderator or admin`)
  return role
}

function tableOf (accounts: ManagedUser[]): string {
  const rows = accounts.map(account =>
    [printable(account.email!), account.role, account.disabled_at === null ? 'enabled' : 'disabled', printable(account.name)])
  const widths = [0, 1, 2].map(column => Math.max(...rows.map(row => row[column]!.length)))
  return rows.map(row => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()).join('\n')
}
