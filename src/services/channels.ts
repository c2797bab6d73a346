import { uuidv7 } from 'uuidv7'
import { AppError } from '../errors.ts'
import type { Presence } from '../presence/presence.ts'
import type { Channel, ListedChannel, Member, SettingsChange } from '../schemas/channel.ts'
import type { ChannelType, PageQuery } from '../schemas/common.ts'
import type { ChannelStore, CreationRules, Listed, Standing, StoredMember } from '../store/channels.ts'
import type { OwnChannelStore } from '../store/own-channels.ts'
import type { Actor } from '../store/users.ts'
import { fitPage, readPage, type Page, type PageOrder, type PagePlace } from './paging.ts'
import type { Events } from './events.ts'
import type { Reads } from './reads.ts'
import { longerThan } from './text.ts'

export type Channels = ReturnType<typeof createChannels>

/** Finds, lists, creates, changes and deletes channels. Where a user may not know of a channel, the error is `channel_not_found` [P19]. */
export function createChannels ({ store, ownStore, presence, events, reads, rules, maxTopicLength, maxSlowMode }: {
  store: ChannelStore
  ownStore: OwnChannelStore
  presence: Presence
  events: Events
  reads: Pick<Reads, 'areShown' | 'position' | 'unwritten'>
  rules: CreationRules
  /** Longest topic, in code points [P50]. */
  maxTopicLength: number
  /** Seconds [P50]. */
  maxSlowMode: number
}) {
  async function find (actor: Actor, channelName: string): Promise<Standing> {
    const standing = await store.find(actor, channelName)
    if (!standing) throw new AppError('channel_not_found')
    return standing
  }

  /** Finds a channel whose history, members and online users this user may see [P18] [P19]. @throws AppError */
  async function read (actor: Actor, channelName: string): Promise<Channel> {
    const { channel, mayRead } = await find(actor, channelName)
    if (!mayRead) throw new AppError('not_authorized')
    return channel
  }

  /** Checks what the schema does not know: bounds that are configured [P50]. @throws AppError `invalid_request`. */
  function checkSettings ({ topic, slow_mode: slowMode }: SettingsChange): void {
    if (topic !== undefined && longerThan(topic, maxTopicLength)) {
      throw new AppError('invalid_request', { detail: `topic: expected at most ${maxTopicLength} characters` })
    }
    if (slowMode !== undefined && slowMode > maxSlowMode) {
      throw new AppError('invalid_request', { detail: `slow_mode: expected at most ${maxSlowMode} seconds` })
    }
  }

  return {
    find,
    read,

    /**
     * A page of the channels that the user may see, in order of name; with `joined` only those that they are a member of, those with the
     * newest messages first [P44].
     */
    async list (
      actor: Actor, { type, joined = false, ...query }: PagePlace & { type?: ChannelType | undefined, joined?: boolean | undefined }
    ): Promise<Page<Listed>> {
      const unwritten = reads.unwritten(actor.userId)
      if (!joined) return readPage(query, byName, (after, limit) => store.list(actor, { type, after, limit, unwritten }))
      return readPage(query, byActivity, (key, limit) => {
        const [ms, id] = key?.split(' ') ?? []
        return ownStore.list(actor, { type, after: id === undefined ? undefined : { ms: Number(ms), id }, limit, unwritten })
      })
    },

    /** @throws AppError `channel_exists`, `not_authorized` [P18], `too_many_channels` [P21] [P58], `rate_limited` [P58]. */
    async create (actor: Actor, channelName: string, type: ChannelType = 'public', settings: SettingsChange = {}): Promise<Channel> {
      checkSettings(settings)
      const refusal = await store.create(actor, uuidv7(), channelName, type, settings, rules)
      if (refusal) throw new AppError(refusal.code, refusal)
      events.membershipBegan(actor.userId)
      return (await find(actor, channelName)).channel
    },

    /**
     * Changes those settings that are not undefined [P50]. Members that a new type does not admit lose membership and subscriptions.
     * @throws AppError
     */
    async update (actor: Actor, channelName: string, changes: SettingsChange): Promise<Channel> {
      checkSettings(changes)
      if (Object.values(changes).every(value => value === undefined)) {
        throw new AppError('invalid_request', { detail: `expected one of ${Object.keys(changes).join(', ')}` })
      }
      const outcome = await store.update(actor, channelName, changes)
      if (outcome.code !== null) throw new AppError(outcome.code)
      const { channelId, aclVersion, isChanged, removed } = outcome
      if (removed !== null) {
        const timestamp = new Date().toISOString()
        events.membershipsEnded(channelId, removed, aclVersion)
        for (const userId of removed) events.userNotified(userId, { type: 'kicked_from_channel', channel: channelName, timestamp })
      }
      if (isChanged) events.settingsChanged(channelId)
      return (await find(actor, channelName)).channel
    },

    /** @throws AppError */
    async delete (actor: Actor, channelName: string): Promise<void> {
      const outcome = await store.delete(actor, channelName)
      if (outcome.code !== null) throw new AppError(outcome.code)
      events.channelDeleted(outcome.channelId)
    },

    /** A page of the members, in order of id. In small channels it says up to where each has read [P45]. */
    async members (actor: Actor, channelName: string, query: PageQuery) {
      const { id, user_count: userCount } = await read(actor, channelName)
      const { items, ...rest } = await readPage(query, byMember, (after, most) => store.members(id, after, most))
      const members = items.map(({ read_seq: readSeq, ...member }): Member =>
        reads.areShown(userCount) ? { ...member, read_seq: reads.position(member.user_id, id, readSeq) } : member)
      return { members, ...rest }
    },

    /**
     * A page, ordered by id, of the users who are online in the channel now, across all instances. `count` is the number of all of them.
     * `maxBytes`: bytes that the page's users may take as JSON [P59].
     */
    async online (actor: Actor, channelName: string, query: PagePlace, maxBytes = Infinity) {
      const channel = await read(actor, channelName)
      const online = await presence.list(channel.id)
      const ids = await readPage(query, byId, async (after = '', most) => online.filter(id => id > after).slice(0, most))
      const people = await store.people(ids.items)
      const { items: users, next_cursor } = fitPage({ ...ids, items: people }, person => person.user_id, maxBytes)
      return { users, count: online.length, next_cursor }
    },

    /** How many users are online in each channel, in the order of `channelIds`. */
    onlineCounts: (channelIds: string[]): Promise<number[]> => presence.counts(channelIds)
  }
}

/** The keys by which lists of channels are ordered: all of them, and one's own with `joined` [P44]. */
export function channelKey (joined: boolean): (channel: Pick<ListedChannel, 'id' | 'name' | 'last_message_at'>) => string {
  return joined ? ({ id, last_message_at: at }) => `${at ? Date.parse(at) : 0} ${id}` : ({ name }) => name
}

const byName: PageOrder<Listed> = { shape: 'name', key: ({ channel }) => channelKey(false)(channel) }
const byActivity: PageOrder<Listed> = { shape: 'time', key: ({ channel }) => channelKey(true)(channel) }
const byMember: PageOrder<StoredMember> = { shape: 'uuid', key: member => member.user_id }
const byId: PageOrder<string> = { shape: 'uuid', key: id => id }
