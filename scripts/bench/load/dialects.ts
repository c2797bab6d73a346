/** The protocol of a kind of server. Frames are told apart by single bytes, because parsing millions of them per second is too slow. */
export interface Dialect {
  path: string
  /** The steps from the upgrade to a joined connection. Each sends `say`, if any, and ends with a frame that begins with `expect`. */
  steps (token: string, channels: string[]): Step[]
  /** The beginning of a frame that refuses a request. */
  refusal: string
  /** The frame that publishes a message. If `acked`, the ack returns `slot`. */
  publish (message: { channel: string, text: string, slot: number, acked: boolean }): string
  /** The position of the byte that tells the kind of a frame, and its values for a delivered message and for an ack. */
  kindAt: number
  delivery: number
  ack: number
  /** The slot that the ack between `from` and `to` names. */
  slotOf (bytes: Buffer, from: number, to: number): number
  /** The answer to Engine.IO's ping, which is a text frame of one byte. */
  pong?: string
}

export interface Step { say?: string, expect: string }

export type DialectName = keyof typeof dialects

const codeOf = (character: string): number => character.charCodeAt(0)

const join = (channel: string): string => JSON.stringify({ type: 'join_channel', channel })

const parley: Dialect = {
  path: '/websocket',
  steps: (token, channels) => [
    { expect: '{"type":"welcome"' },
    { say: JSON.stringify({ type: 'authenticate', token }), expect: '{"type":"success","action":"authenticated"' },
    ...channels.map(channel => ({ say: join(channel), expect: '{"type":"success","action":"channel_joined"' }))
  ],
  refusal: '{"type":"error"',
  publish: ({ channel, text, slot }) => JSON.stringify({ type: 'send_message', channel, message: text, ref: slot }),
  kindAt: '{"type":"'.length,
  delivery: codeOf('m'),
  ack: codeOf('s'),
  slotOf (bytes, _from, to) {
    // `ref` is the last field of the frame: `…,"ref":7}`
    let slot = 0
    for (let at = to - 2, power = 1; isDigit(bytes[at]!); at--, power *= 10) slot += (bytes[at]! - ZERO) * power
    return slot
  }
}

const socketio: Dialect = {
  path: '/socket.io/?EIO=4&transport=websocket',
  steps: (token, channels) => [
    { expect: '0{' },
    { say: `40${JSON.stringify({ token })}`, expect: '40{' },
    ...channels.map(channel => ({ say: `420${JSON.stringify(['join', channel])}`, expect: '430[' }))
  ],
  refusal: '44',
  publish: ({ channel, text, slot, acked }) => `42${acked ? slot : ''}${JSON.stringify(['message', { channel, message: text }])}`,
  kindAt: 1,
  delivery: codeOf('2'),
  ack: codeOf('3'),
  slotOf (bytes, from) {
    let slot = 0
    for (let at = from + 2; isDigit(bytes[at]!); at++) slot = slot * 10 + bytes[at]! - ZERO
    return slot
  },
  pong: '3'
}

const ws: Dialect = {
  ...parley,
  path: '/',
  steps: (_token, channels) => channels.map(channel => ({ say: join(channel), expect: '{"type":"success"' }))
}

const ZERO = codeOf('0')

function isDigit (code: number): boolean {
  return code >= ZERO && code <= ZERO + 9
}

export const dialects = { parley, socketio, ws }
