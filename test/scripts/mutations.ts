import type { Frame } from '../client.ts'
import type { Alteration, Link } from './altering-proxy.ts'

/** A way to break one rule. */
export interface Mutation {
  /** A sentence that says how the altered server behaves. */
  does: string
  /** The rules that it breaks; two only where the one implies the other, which `does` says. */
  breaks: string[]
  /** It sends frames to connections of other cases too, so some of them run together with the cases that it alters. */
  everywhere?: true
  /** Begins the alteration for one run. */
  begin (): Alteration
}

/** Milliseconds for which a frame is held back when no other follows. */
const HOLD = 30

/** Stands for the request of a reply without `ref`. */
const NONE: Frame = { type: '' }

const ofType = (type: string, alter: (frame: Frame) => Frame): Alteration => ({
  down: frame => [frame.type === type ? alter(frame) : frame]
})
const ofAction = (action: string, alter: (data: Frame, asked: Frame) => object): Alteration => ({
  down: (frame, link) => [frame.action === action ? { ...frame, data: alter(frame.data, link.asked.get(frame.ref) ?? NONE) } : frame]
})
const ofError = (code: string, instead: Partial<Frame>): Alteration => ({
  down: frame => [frame.code === code ? { ...frame, ...instead } : frame]
})
const closing = (code: number, instead: number, reason: string): Alteration => ({
  close: (given, text) => given === code ? [instead, reason] : [given, text]
})
const without = (frame: Frame, field: string): Frame =>
  Object.fromEntries(Object.entries(frame).filter(([name]) => name !== field)) as Frame

/** Holds a frame back until the next of its connection, which goes first if `overtakes` says so. */
function holding (isHeld: (frame: Frame) => boolean, overtakes: (next: Frame, held: Frame) => boolean): Alteration {
  const held = new Map<Link, { frame: Frame, timer: NodeJS.Timeout }>()
  return {
    down (frame, link) {
      const before = held.get(link)
      if (before) {
        clearTimeout(before.timer)
        held.delete(link)
        return overtakes(frame, before.frame) ? [frame, before.frame] : [before.frame, frame]
      }
      if (!isHeld(frame)) return [frame]
      const timer = setTimeout(() => {
        held.delete(link)
        link.tell(frame)
      }, HOLD)
      held.set(link, { frame, timer })
      return []
    }
  }
}

type Watch = (frame: Frame, link: Link) => void

/** Sends the messages of a channel that any connection gets to other connections as well. */
function leaking (isLeaked: (frame: Frame) => boolean, hears: (link: Link, channel: string) => boolean, watch: Watch): Alteration {
  const told = new WeakMap<Link, Set<string>>()
  return {
    down (frame, link, links) {
      if (isMessage(frame) && isLeaked(frame)) {
        for (const other of links) {
          if (other === link || !hears(other, frame.channel)) continue
          const ids = told.get(other) ?? new Set()
          if (!ids.has(frame.id)) other.tell(frame)
          told.set(other, ids.add(frame.id))
        }
      }
      watch(frame, link)
      return [frame]
    }
  }
}

const isReply = ({ type }: Frame): boolean => ['success', 'error', 'heartbeat_ack', 'channel_list', 'user_list'].includes(type)

const isMessage = ({ type }: Frame): boolean => type === 'message'

/** Alters almost every case. A run of the command itself judges it. */
export const dropsRef: Mutation = {
  does: 'drops ref',
  breaks: ['P8'],
  begin: () => ({ down: frame => [isReply(frame) ? without(frame, 'ref') : frame] })
}

export const mutations: Mutation[] = [
  { does: 'closes with 1008 after a binary frame', breaks: ['P1'], begin: () => closing(1003, 1008, '') },
  { does: 'accepts any origin', breaks: ['P3'], begin: () => ({ headers: ({ origin: _, ...headers }) => headers }) },
  {
    does: 'lets another reply overtake a list of users',
    breaks: ['P7'],
    begin: () => holding(({ type }) => type === 'user_list', isReply)
  },
  {
    does: 'answers invalid_frame to a missing channel',
    breaks: ['P9'],
    begin: () => ofError('channel_required', { code: 'invalid_frame', message: 'Invalid message: channel' })
  },
  {
    does: 'sends messages of private channels to users who are not in them',
    breaks: ['P19'],
    everywhere: true,
    begin () {
      const secret = new Set<string>()
      return leaking(({ channel }) => secret.has(channel), link => link.userId !== undefined, frame => {
        if (frame.action === 'channel_joined' && frame.data.channel_type === 'private') secret.add(frame.data.channel)
      })
    }
  },
  {
    does: 'keeps a kicked user subscribed',
    breaks: ['P20'],
    begin () {
      const kicked = new WeakMap<Link, string>()
      return leaking(() => true, (link, channel) => kicked.get(link) === channel, (frame, link) => {
        if (frame.type === 'kicked_from_channel') kicked.set(link, frame.channel)
      })
    }
  },
  {
    does: 'keeps a connection subscribed that has unsubscribed',
    breaks: ['P36'],
    begin () {
      const gone = new WeakMap<Link, string>()
      return leaking(() => true, (link, channel) => gone.get(link) === channel, (frame, link) => {
        if (frame.action === 'channel_unsubscribed') gone.set(link, frame.data.channel)
      })
    }
  },
  {
    does: 'answers not_in_channel to a muted user',
    breaks: ['P22'],
    begin: () => ofError('muted', { code: 'not_in_channel', message: 'Not in channel' })
  },
  {
    does: 'tells of a user who joins twice',
    breaks: ['P23'],
    begin: () => ({ down: frame => frame.type === 'user_joined' ? [frame, frame] : [frame] })
  },
  {
    does: 'tells the wrong type of the channel of an invitation',
    breaks: ['P57'],
    begin: () => ofType('invited_to_channel', frame => ({ ...frame, channel_type: 'public' }))
  },
  {
    does: 'answers not_authorized to a blocked user',
    breaks: ['P48'],
    begin: () => ofError('blocked', { code: 'not_authorized', message: 'Not authorized' })
  },
  {
    does: 'swaps two messages',
    breaks: ['P27'],
    begin: () => holding(isMessage, (next, held) => isMessage(next) && next.channel === held.channel)
  },
  { does: 'sends each message twice', breaks: ['P27'], begin: () => ({ down: frame => isMessage(frame) ? [frame, frame] : [frame] }) },
  {
    does: 'leaves out a seq in receipts',
    breaks: ['P27'],
    begin: () => ofAction('message_sent', data => ({ ...data, seq: data.seq > 10 ? data.seq + 1 : data.seq }))
  },
  {
    does: 'forgets client_id, so that the same message again is new and not exempt from slow mode, which [P50] says of a stored client_id',
    breaks: ['P28', 'P50'],
    begin () {
      const known = new Set<string>()
      let count = 0
      return {
        up (frame, { userId }) {
          if (frame.type !== 'send_message' || frame.client_id === undefined) return frame
          const key = `${userId} ${frame.channel} ${frame.client_id}`
          if (known.has(key)) return { ...frame, client_id: `forgotten-${++count}` }
          known.add(key)
          return frame
        }
      }
    }
  },
  {
    does: 'loses a message of a resume',
    breaks: ['P30'],
    begin: () => ofAction('channel_joined', data =>
      data.recovered && data.messages.length > 1 ? { ...data, messages: data.messages.slice(1) } : data)
  },
  {
    does: 'says recovered:true though the channel is another one',
    breaks: ['P30'],
    begin: () => ofAction('channel_joined', (data, { channel_id: id = data.channel_id }) =>
      ({ ...data, recovered: data.recovered || id !== data.channel_id }))
  },
  {
    does: 'says recovered:true though the entry at since is another one',
    breaks: ['P37'],
    begin: () => ofAction('channel_joined', (data, { since_id: id }) => ({ ...data, recovered: data.recovered || id !== undefined }))
  },
  {
    does: 'tells of an edit without its text',
    breaks: ['P34'],
    begin: () => ofType('message_edited', frame => ({ ...frame, message: '' }))
  },
  {
    does: 'gives a seq to a reaction without effect',
    breaks: ['P40'],
    begin: () => ofAction('reaction_added', data => ({ seq: 9, ...data }))
  },
  {
    does: 'echoes a signal to its sender',
    breaks: ['P42'],
    begin: () => ({
      down (frame, link) {
        if (frame.action !== 'signal_sent') return [frame]
        const echo = { type: 'signal', channel: frame.data.channel, event: 'echo', user_id: link.userId, username: 'x', handle: 'xxx' }
        return [frame, { ...echo, timestamp: new Date().toISOString() }]
      }
    })
  },
  { does: 'lowers a read position', breaks: ['P43'], begin: () => ofAction('read_marked', (data, { seq }) => ({ ...data, seq })) },
  {
    does: 'answers 200 to a new message over REST',
    breaks: ['rest'],
    begin: () => ({ rest: (path, status, text) => ({ status: path.endsWith('/messages') && status === 201 ? 200 : status, text }) })
  },
  { does: 'has another text for an error', breaks: ['errors'], begin: () => ofError('not_in_channel', { message: 'You are not here' }) },
  { does: 'closes with 4502 after unreadable frames', breaks: ['closes'], begin: () => closing(4501, 4502, 'too many frames') }
]
