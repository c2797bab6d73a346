import type { Broker, ControlAction } from '../broker/broker.ts'
import type { Events } from '../services/events.ts'
import type { Activity } from './activity.ts'
import { encode, encodeEntries } from './frames.ts'

/** Reads that one notice on the bus tells of, at most: some 8 KB [P59]. */
const READS_PER_NOTICE = 50

/** Publishes what the services report on the bus. Each frame is encoded once, whatever the number of its receivers. */
export function createEvents (broker: Broker, activity: Pick<Activity, 'stored'>, onFault: (error: unknown) => void): Events {
  const toUser = (userId: string, action: ControlAction): void => broker.publish(`user:${userId}`, { kind: 'control', action })
  const toChannel = (channelId: string, action: ControlAction): void => broker.publish(`channel:${channelId}`, { kind: 'control', action })
  return {
    entriesStored: (channelId, entries, queuedAt) => {
      broker.publish(`channel:${channelId}`, { kind: 'entries', firstSeq: entries[0]!.seq, ...encodeEntries(entries), queuedAt })
      activity.stored(channelId, entries)
    },
    membershipsEnded: (channelId, userIds, aclVersion) => toChannel(channelId, { type: 'membership_ended', userIds, aclVersion }),
    userNotified: (userId, notice, except) =>
      broker.publish(`user:${userId}`, { kind: 'notice', frame: encode(notice), ...except !== undefined && { except } }),
    usersNotified (userIds, notice) {
      const frame = encode(notice)
      for (const userId of userIds) broker.publish(`user:${userId}`, { kind: 'notice', frame })
    },
    channelDeleted: channelId => toChannel(channelId, { type: 'channel_deleted', timestamp: new Date().toISOString() }),
    muteChanged: (channelId, userId, seconds, aclVersion) => toChannel(channelId, { type: 'mute_changed', userId, seconds, aclVersion }),
    signalled: (channelId, signal, except) => broker.publish(`channel:${channelId}`,
      { kind: 'notice', frame: encode({ type: 'signal', ...signal }), isSignal: true, ...except !== undefined && { except } }),
    directOpened: userId => toUser(userId, { type: 'direct_opened' }),
    markerRaised: (userId, marker, except) => broker.publish(`user:${userId}`,
      { kind: 'notice', frame: encode({ type: 'read_marker', ...marker }), ...except !== undefined && { except } }),
    membersRead: (channelId, reads) => {
      for (let from = 0; from < reads.length; from += READS_PER_NOTICE) {
        const frames = reads.slice(from, from + READS_PER_NOTICE).map(read => encode({ type: 'user_read', ...read }))
        broker.publish(`channel:${channelId}`, { kind: 'notice', frame: Buffer.concat(frames) })
      }
    },
    membershipBegan: userId => broker.publish('activity', { kind: 'control', action: { type: 'membership_began', userId } }),
    settingsChanged: channelId => toChannel(channelId, { type: 'settings_changed' }),
    userChanged: (userId, user) => toUser(userId, { type: 'user_changed', user }),
    userDisconnected: userId => toUser(userId, { type: 'disconnect', reason: 'disconnected' }),
    loginRevoked: (userId, sid) => toUser(userId, { type: 'disconnect', reason: 'session_revoked', sid }),
    announced: message => {
      const frame = encode({ type: 'announcement', message, timestamp: new Date().toISOString() })
      broker.publish('broadcast', { kind: 'notice', frame })
    },
    faultFound: onFault
  }
}
