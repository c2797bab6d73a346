/** The channel in which all clients are. */
export const CHANNEL = 'room'

export type PeerName = 'parley' | 'socketio' | 'centrifuge' | 'ably' | 'phoenix' | 'bare'

// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Incoming = any
type Send = (frame: object) => void

/** One side of a protocol: what is said at the start, what a frame of the client is answered, and the frame of message number i. */
interface Dialect {
  greet (send: Send): void
  answer (frame: Incoming, send: Send): void
  frame (i: number): object
}

const ID = '019bd3a2-5b1c-7cc3-98c4-0123456789ab'
const TIME = '2026-01-01T00:00:00.000Z'

/** A chat message, the same for all. */
export function message (i: number) {
  return {
    id: `019bd3a2-5b1c-7cc3-98c4-${String(i).padStart(12, '0')}`,
    seq: i,
    channel: CHANNEL,
    user_id: ID,
    username: 'person',
    message: 'A message of the length that people write in a chat, more or less.',
    timestamp: TIME
  }
}

export const dialects: Record<Exclude<PeerName, 'socketio'>, Dialect> = {
  parley: {
    greet: send => send({
      type: 'welcome', connection_id: ID, server_time: new Date().toISOString(), protocol: 1,
      heartbeat_interval: 30, connection_timeout: 300, max_payload: 65_536
    }),
    answer ({ type, ref }, send) {
      const success = (action: string, data: object): void => send({ type: 'success', action, data, ref })
      if (type === 'heartbeat') send({ type: 'heartbeat_ack', server_time: TIME })
      if (type === 'authenticate') {
        success('authenticated', { user_id: ID, username: 'person', handle: null, email: null, role: 'user', expires_at: null })
      }
      if (type === 'join_channel') {
        success('channel_joined', {
          channel: CHANNEL, channel_id: ID, channel_type: 'public', seq: 0, last_id: null, recovered: false, messages: [],
          topic: '', slow_mode: 0, retention: null, user_count: 1,
          me: { role: 'user', is_member_since: TIME, is_moderator: false, muted_until: null, read_seq: 0 }
        })
      }
    },
    frame: i => ({ type: 'message', ...message(i) })
  },

  centrifuge: {
    greet () {},
    answer ({ id, connect, subscribe }, send) {
      if (connect) send({ id, connect: { client: ID, version: '6' } })
      if (subscribe) send({ id, subscribe: {} })
    },
    frame: i => ({ push: { channel: CHANNEL, pub: { data: message(i) } } })
  },

  // Actions: 4 CONNECTED, 10 ATTACH, 11 ATTACHED, 15 MESSAGE.
  ably: {
    greet: send => send({
      action: 4,
      connectionId: ID,
      connectionDetails: { connectionKey: ID, maxMessageSize: 65_536, connectionStateTtl: 120_000, maxIdleInterval: 0 }
    }),
    answer ({ action, channel }, send) {
      if (action === 10) send({ action: 11, channel, channelSerial: ID, flags: 0 })
    },
    frame: i => ({
      action: 15,
      channel: CHANNEL,
      id: `${ID}:${i}`,
      timestamp: 0,
      messages: [{ name: 'message', data: JSON.stringify(message(i)), encoding: 'json' }]
    })
  },

  phoenix: {
    greet () {},
    answer ([joinRef, ref, topic]: [string, string, string], send) {
      send([joinRef, ref, topic, 'phx_reply', { status: 'ok', response: {} }])
    },
    frame: i => [null, null, CHANNEL, 'message', message(i)]
  },

  bare: {
    greet () {},
    answer: (_frame, send) => send({ type: 'joined' }),
    frame: i => ({ type: 'message', ...message(i) })
  }
}
