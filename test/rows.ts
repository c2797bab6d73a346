import { randomUUID } from 'node:crypto'
import { hash } from '@node-rs/argon2'
import { uuidv7 } from 'uuidv7'
import type { ChannelType, Role } from '../src/schemas/common.ts'
import type { Database } from '../src/store/client.ts'
import type { Person } from './helper.ts'

type Given = { user: { id: string } } | { person: Person }

interface ChannelRow { id: string, name: string }

/** Writes roles, passwords, channels, memberships, messages, bans and mutes directly to the database, without any check of rights. */
export function createRows ({ prisma }: Pick<Database, 'prisma'>) {
  const idOf = (given: Given): string => 'person' in given ? given.person.user.id : given.user.id

  return {
    async role (given: Given, role: Role): Promise<void> {
      await prisma.user.update({ where: { id: idOf(given) }, data: { role } })
    },

    /** Gives an account this password, with a hash that costs little to check. */
    async password (given: Given, password: string): Promise<void> {
      const passwordHash = await hash(password, { memoryCost: 8, timeCost: 1 })
      await prisma.user.update({ where: { id: idOf(given) }, data: { passwordHash } })
    },

    /** Creates a channel without members. */
    async channel (
      channelType: ChannelType = 'public', { name = `c-${randomUUID()}`, creator }: { name?: string, creator?: Given } = {}
    ): Promise<ChannelRow> {
      const { id } = await prisma.channel.create({ data: { id: uuidv7(), name, channelType, createdBy: creator ? idOf(creator) : null } })
      return { id, name }
    },

    async member (channel: ChannelRow, given: Given): Promise<void> {
      await prisma.channelUser.create({ data: { channelId: channel.id, userId: idOf(given) } })
      await prisma.channel.update({ where: { id: channel.id }, data: { userCount: { increment: 1 } } })
    },

    /** @returns the id of the message. */
    async message (channel: ChannelRow, author: Given): Promise<string> {
      const { lastSeq } = await prisma.channel.update({ where: { id: channel.id }, data: { lastSeq: { increment: 1 } } })
      const data = { channelId: channel.id, seq: lastSeq, id: uuidv7(), userId: idOf(author), content: 'x', createdAt: new Date() }
      return (await prisma.message.create({ data })).id
    },

    /** Writes an open report of a message. @returns its id. */
    async report (channel: ChannelRow, messageId: string, { author, reporter }: { author: Given, reporter: Given }): Promise<string> {
      const now = new Date()
      const copy = { messageId, seq: 1, authorId: idOf(author), content: 'x', sentAt: now }
      const data = { channelId: channel.id, channelName: channel.name, ...copy, reporterId: idOf(reporter), createdAt: now }
      return (await prisma.report.create({ data: { id: uuidv7(), ...data } })).id
    },

    async invitation (channel: ChannelRow, given: Given): Promise<void> {
      await prisma.channelInvite.create({ data: { channelId: channel.id, userId: idOf(given), invitedBy: idOf(given) } })
    },

    /** @param expires milliseconds from now by the database's clock, or null for a ban without an end. */
    async ban (channel: ChannelRow, given: Given, expires: number | null = null): Promise<void> {
      await prisma.$executeRaw`
        INSERT INTO "ChannelBan" ("channelId", "userId", "bannedBy", "expiresAt")
        SELECT ${channel.id}::uuid, id, id, clock_timestamp() + ${expires}::int * interval '1 millisecond'
        FROM "User" WHERE id = ${idOf(given)}::uuid`
    },

    /** @param expires milliseconds from now by the database's clock. */
    async mute (channel: ChannelRow, given: Given, expires: number): Promise<void> {
      await prisma.$executeRaw`
        INSERT INTO "ChannelMute" ("channelId", "userId", "mutedBy", "expiresAt")
        SELECT ${channel.id}::uuid, id, id, clock_timestamp() + ${expires}::int * interval '1 millisecond'
        FROM "User" WHERE id = ${idOf(given)}::uuid`
    }
  }
}
