import { AppError } from '../errors.ts'
import type { PageQuery } from '../schemas/common.ts'
import type { Notice } from '../schemas/protocol.ts'
import type { InvitationLimits, Moderated, ModerationAct, ModerationStore } from '../store/moderation.ts'
import type { Actor } from '../store/users.ts'
import type { Channels } from './channels.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'

export type Moderation = ReturnType<typeof createModeration>

/** Lets users moderate other users in a channel. The database decides who may do what, under the channel's lock [P32]. */
export function createModeration ({ store, channels, events, invitationLimits }: {
  store: ModerationStore, channels: Channels, events: Events, invitationLimits: InvitationLimits
}) {
  /** Returns the id of a channel whose bans, mutes and log this user may read. @throws AppError */
  async function moderated (actor: Actor, channelName: string): Promise<string> {
    const { channel } = await channels.find(actor, channelName)
    if (!await store.mayModerate(actor, channel.id)) throw new AppError('not_authorized')
    return channel.id
  }

  return {
    /**
     * Performs one act of moderation, such as a kick. `act.act` is its name in the SQL function `parley_moderate`. An act that has
     * nothing to change succeeds without effect.
     * @param noticeOf returns the notice for the target, without its timestamp. It is called only for a target who may be told [P57].
     * @throws AppError `channel_not_found`, `not_authorized`, `user_not_found`, `banned`, `rate_limited`.
     */
    async act (
      actor: Actor,
      act: ModerationAct,
      noticeOf: (outcome: Moderated) => Omit<Notice, 'timestamp'> | undefined
    ): Promise<Moderated> {
      const outcome = await store.moderate(actor, act, invitationLimits)
      if (outcome.code !== null) throw new AppError(outcome.code, outcome)
      const notice = outcome.tell ? noticeOf(outcome) : undefined
      if (notice) events.userNotified(act.targetId, { ...notice, timestamp: new Date().toISOString() } as Notice)
      if (outcome.effect && act.act === 'mute_user') events.muteChanged(outcome.channelId, act.targetId, act.duration!, outcome.aclVersion)
      if (outcome.effect && act.act === 'unmute_user') events.muteChanged(outcome.channelId, act.targetId, 0, outcome.aclVersion)
      if (outcome.ended) events.membershipsEnded(outcome.channelId, [act.targetId], outcome.aclVersion)
      return outcome
    },

    /** A page of the user's own invitations, ordered by channel name. */
    async invitations (userId: string, query: PageQuery) {
      const { items: invitations, ...rest } = await readPage(query, byChannel, (after, most) => store.invitations(userId, after, most))
      return { invitations, ...rest }
    },

    async bans (actor: Actor, channelName: string, query: PageQuery) {
      const id = await moderated(actor, channelName)
      const { items: bans, ...rest } = await readPage(query, byUser, (after, most) => store.bans(id, after, most))
      return { bans, ...rest }
    },

    async mutes (actor: Actor, channelName: string, query: PageQuery) {
      const id = await moderated(actor, channelName)
      const { items: mutes, ...rest } = await readPage(query, byUser, (after, most) => store.mutes(id, after, most))
      return { mutes, ...rest }
    },

    /** A page of the channel's moderators, for every user who may see the channel's members. */
    async moderators (actor: Actor, channelName: string, query: PageQuery) {
      const { id } = await channels.read(actor, channelName)
      const { items: moderators, ...rest } = await readPage(query, byUser, (after, most) => store.moderators(id, after, most))
      return { moderators, ...rest }
    },

    /** A page of the channel's entries in the moderation log, newest first. */
    async log (actor: Actor, channelName: string, query: PageQuery) {
      const id = await moderated(actor, channelName)
      const { items: log, ...rest } = await readPage(query, byLogId, (after, most) => store.log(id, after, most))
      return { log, ...rest }
    }
  }
}

const byUser: PageOrder<{ user_id: string }> = { shape: 'uuid', key: row => row.user_id }
const byChannel: PageOrder<{ channel: string }> = { shape: 'name', key: row => row.channel }
const byLogId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }
