import { AppError } from '../errors.ts'
import type { PageQuery } from '../schemas/common.ts'
import { DEFAULT_MUTE, type ActResult, type UserAct } from '../schemas/moderation.ts'
import type { Notice } from '../schemas/protocol.ts'
import type { Moderated, ModerationStore } from '../store/moderation.ts'
import type { Actor } from '../store/users.ts'
import type { Channels } from './channels.ts'
import type { Events } from './events.ts'
import { readPage, type PageOrder } from './paging.ts'

export type Moderation = ReturnType<typeof createModeration>

/** What an act takes besides its channel and its target. `duration` in seconds. */
export interface ActDetails { reason?: string | undefined, duration?: number | undefined }

/** Acts of users on other users in a channel. Who may do what is judged by the database, under the channel's lock [P32]. */
export function createModeration ({ store, channels, events }: { store: ModerationStore, channels: Channels, events: Events }) {
  /** The id of a channel whose bans, mutes and log this user may read. @throws AppError */
  async function moderated (actor: Actor, name: string): Promise<string> {
    const { channel } = await channels.find(actor, name)
    if (!await store.mayModerate(actor, channel.id)) throw new AppError('not_authorized')
    return channel.id
  }

  return {
    /**
     * Carries out one act and tells the target of it.
     * @returns the command's `data`. Where there was nothing to do, success without effect.
     * @throws AppError `channel_not_found`, `not_authorized`, `user_not_found`, `banned`.
     */
    async act (actor: Actor, act: UserAct, channel: string, targetId: string, details: ActDetails = {}): Promise<ActResult> {
      const { reason } = details
      const duration = act === 'mute_user' ? details.duration ?? DEFAULT_MUTE : details.duration
      const outcome = await store.moderate({ actor, act, channel, targetId, reason, duration })
      if (outcome.code !== null) throw new AppError(outcome.code)
      const expiry = { expires_at: outcome.expiresAt?.toISOString() ?? null }
      const extra = act === 'ban_user'
        ? { reason: reason ?? null, ...expiry }
        : act === 'mute_user' ? { duration: duration!, ...expiry } : {}
      if (outcome.effect) tell(act, channel, targetId, outcome, extra)
      return { channel, user_id: targetId, ...extra }
    },

    async bans (actor: Actor, name: string, query: PageQuery) {
      const id = await moderated(actor, name)
      const { items: bans, ...rest } = await readPage(query, byUser, (after, most) => store.bans(id, after, most))
      return { bans, ...rest }
    },

    async mutes (actor: Actor, name: string, query: PageQuery) {
      const id = await moderated(actor, name)
      const { items: mutes, ...rest } = await readPage(query, byUser, (after, most) => store.mutes(id, after, most))
      return { mutes, ...rest }
    },

    /** Whoever may see who is in the channel may see who moderates it. */
    async moderators (actor: Actor, name: string, query: PageQuery) {
      const { id } = await channels.read(actor, name)
      const { items: moderators, ...rest } = await readPage(query, byUser, (after, most) => store.moderators(id, after, most))
      return { moderators, ...rest }
    },

    /** The channel's own part of the moderation log, newest first. */
    async log (actor: Actor, name: string, query: PageQuery) {
      const id = await moderated(actor, name)
      const { items: log, ...rest } = await readPage(query, byLogId, (after, most) => store.log(id, after, most))
      return { log, ...rest }
    }
  }

  function tell (act: UserAct, channel: string, targetId: string, outcome: Moderated, extra: object): void {
    const type = notices[act]
    if (type) {
      const about = act === 'invite_user' ? { channel_type: outcome.channelType } : extra
      const notice: Notice = { type, channel, ...about, timestamp: new Date().toISOString() }
      events.userNotified(targetId, notice)
    }
    if (outcome.ended) events.membershipsEnded(outcome.channelId, [targetId], outcome.aclVersion)
  }
}

const byUser: PageOrder<{ user_id: string }> = { shape: 'uuid', key: row => row.user_id }
const byLogId: PageOrder<{ id: string }> = { shape: 'uuid', key: row => row.id }

/** What the target's connections are told. */
const notices: Partial<Record<UserAct, string>> = {
  invite_user: 'invited_to_channel',
  kick_user: 'kicked_from_channel',
  ban_user: 'banned_from_channel',
  unban_user: 'unbanned_from_channel',
  mute_user: 'muted_in_channel',
  unmute_user: 'unmuted_in_channel'
}
