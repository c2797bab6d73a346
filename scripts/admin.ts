import { loadConfig } from '../src/config.ts'
import { createStores } from '../src/domain.ts'
import { AppError } from '../src/errors.ts'
import type { Role } from '../src/schemas/common.ts'
import type { ManagedUser } from '../src/schemas/admin.ts'
import { giveResetCode } from '../src/services/account-codes.ts'
import { createAdmin, type Admin } from '../src/services/admin.ts'
import { normaliseEmail } from '../src/services/email.ts'
import type { Events } from '../src/services/events.ts'
import type { AccountCodeStore } from '../src/store/account-codes.ts'
import type { AccountSecrets, Users } from '../src/store/users.ts'
import { runCommand, UsageError, withDatabase } from './command.ts'
import { printable } from '../src/printable.ts'

const USAGE = `usage: npm run admin -- COMMAND
  list [QUERY]                        lists the accounts whose email or name contains QUERY
  promote EMAIL [moderator | admin]   makes the user an admin (the default) or a moderator
  demote EMAIL                        makes the user an ordinary user again
  disable EMAIL                       forbids logins and closes all of the user's connections
  enable EMAIL                        allows logins again
  reset EMAIL                         makes a code with which the user sets a new password, once, within an hour`

interface Context { users: Users, admin: Admin, codes: AccountCodeStore }

/** The commands by name, each with the least and the most arguments that it takes. */
const commands: Record<string, { takes: [number, number], run (context: Context, ...args: string[]): Promise<string> }> = {
  list: { takes: [0, 1], run: ({ admin }, query) => list(admin, query) },
  promote: { takes: [1, 2], run: (context, email, role = 'admin') => change(context, email!, { role: promotion(role) }) },
  demote: { takes: [1, 1], run: (context, email) => change(context, email!, { role: 'user' }) },
  disable: { takes: [1, 1], run: (context, email) => change(context, email!, { disabled: true }) },
  enable: { takes: [1, 1], run: (context, email) => change(context, email!, { disabled: false }) },
  reset: { takes: [1, 1], run: (context, email) => reset(context, email!) }
}

/** No client is connected to this process, so no event has a receiver. */
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

await runCommand(main)

/**
 * `npm run admin -- COMMAND …` manages accounts for the operator of the server. It only changes the database: a running server applies
 * the change to the user's next frame, and finds the connections that it has to close within seconds [P15] [P33].
 */
async function main ([name = '', ...args]: string[]): Promise<void> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!command || args.length < command.takes[0] || args.length > command.takes[1]) throw new UsageError(USAGE)
  if (name === 'promote') promotion(args[1] ?? 'admin')
  await withDatabase(async database => {
    const { users, accounts, accountCodes, moderation } = createStores(database)
    const admin = createAdmin({ store: accounts, log: moderation.log, events })
    const text = await command.run({ users, admin, codes: accountCodes }, ...args)
    if (text !== '') console.log(text)
  })
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
async function reset ({ users, codes }: Context, email: string): Promise<string> {
  const found = await find(users, email)
  if (found.disabledAt !== null) throw new UsageError(`${printable(email)} is disabled: enable the account first`)
  const { code, link } = await giveResetCode({ store: codes, publicUrl: loadConfig().config.server.public_url }, null, found.id)
  return link ?? code
}

async function change ({ users, admin }: Context, email: string, to: { role: Role } | { disabled: boolean }): Promise<string> {
  const found = await find(users, email)
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
