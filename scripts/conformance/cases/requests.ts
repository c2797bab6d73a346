import { setTimeout as delay } from 'node:timers/promises'
import type { Connection, Frame } from '../connection.ts'
import { isMessage, type Case } from '../stage.ts'
import { check, same, Withheld } from '../verdict.ts'

const REPLIES = ['success', 'error', 'heartbeat_ack', 'channel_list', 'user_list']

/** Requests and their replies: order, `ref`, the order of checks, limits, pages. */
export const cases: Case[] = [
  {
    rule: 'P7',
    title: 'frames are answered in order, whatever they are, also when sent before welcome is read',
    async run ({ ann, name, open }) {
      const connection = open()
      await connection.opened()
      const channel = name()
      const frames = [{ type: 'authenticate', token: ann.token }, { type: 'join_channel', channel }]
      const kinds = ['authenticated', 'channel_joined']
      for (let n = 0; n < 10; n++) {
        frames.push({ type: 'send_message', channel, message: `${n}`, client_id: `c${n}` } as never, { type: 'heartbeat' } as never)
        kinds.push(`c${n}`, 'heartbeat_ack')
        if (n % 3 === 0) frames.push({ type: 'user_list', channel }, { type: 'unsubscribe_channel', channel: 'none' })
        if (n % 3 === 0) kinds.push('user_list', 'channel_unsubscribed')
      }
      for (const frame of frames) connection.send(frame)
      same((await replies(connection, frames.length)).map(kindOf), kinds, 'replies in the order of requests:')
    }
  },
  {
    rule: 'P8',
    title: 'each request has one reply, with its ref unchanged',
    async run ({ ann, connect, channel }) {
      const connection = await connect(ann)
      const { name } = await channel(ann, connection)
      const refs = ['a', 'x'.repeat(64), 0, -7, Number.MAX_SAFE_INTEGER]
      const requests = [{ type: 'heartbeat' }, { type: 'send_message', channel: name, message: 'one' }, { type: 'nonsense' },
        { type: 'user_list', channel: name }, { type: 'command', command: 'update_channel', channel: name, topic: 'ref' }]
      for (const [i, request] of requests.entries()) {
        connection.send({ ...request, ref: refs[i] })
        const [reply] = await replies(connection, 1)
        same(reply?.ref, refs[i], `the ref on the reply to ${request.type}:`)
      }
      await connection.none('second reply', ({ type }) => REPLIES.includes(type))
      connection.send({ type: 'heartbeat' })
      const [plain] = await replies(connection, 1)
      check(!('ref' in plain!), 'no ref on the reply to a request without one', plain)
    }
  },
  {
    rule: 'P9',
    title: 'checks are made in their order: known type, authenticated, fields, channel, authorised',
    async run ({ ann, connect, open, name }) {
      const stranger = open()
      await stranger.opened()
      await stranger.mustNot('{"type":', 'invalid_json')
      await stranger.mustNot({ type: 'nonsense' }, 'unknown_type')
      await stranger.mustNot({ type: 'command', command: 'nonsense' }, 'unknown_command')
      await stranger.mustNot({ type: 'join_channel' }, 'not_authenticated')
      const connection = await connect(ann)
      for (const channel of [undefined, null, '', ' ']) await connection.mustNot({ type: 'join_channel', channel }, 'channel_required')
      await connection.mustNot({ type: 'join_channel', channel: 5 }, 'invalid_frame')
      await connection.mustNot({ type: 'send_message', channel: name(), message: 'a\0b' }, 'invalid_frame')
      await connection.mustNot({ type: 'send_message', channel: name(), message: ' ' }, 'message_required')
      await connection.mustNot({ command: 'create_channel', name: name(), channel_type: 'secret' }, 'invalid_channel_type')
      await connection.mustNot({ command: 'kick_user', channel: name() }, 'user_required')
      const reply = await connection.ask({ type: 'heartbeat', extra: { unknown: true } })
      check(reply.type === 'heartbeat_ack', 'an answer: unknown fields are ignored, and errors leave the connection open', reply)
    }
  },
  {
    rule: 'P35',
    title: 'a request over a limit is rate_limited, has no effect, and passes after retry_after_ms',
    async run ({ ann, connect, channel }) {
      const connection = await connect(ann)
      const other = await connect(ann)
      const { name } = await channel(ann, connection, [other])
      const refused = await floodSignals(connection, name)
      const wait = refused.retry_after_ms
      check(Number.isInteger(wait) && wait > 0 && wait <= 10_000, 'retry_after_ms as a whole number up to 10000', refused)
      await delay(wait)
      const passed = await connection.once({ type: 'signal', channel: name, event: 'after' })
      check(passed.type === 'success', 'success after retry_after_ms', passed)
      await other.expect('the signal that passed', ({ type, event }) => type === 'signal' && event === 'after')
    }
  },
  {
    rule: 'P53',
    title: 'before authentication a large frame closes the connection with 1009',
    async run ({ open }) {
      const connection = open()
      await connection.opened()
      const { max_payload: size } = await connection.expect('welcome', ({ type }) => type === 'welcome')
      connection.send({ type: 'authenticate', token: 'x'.repeat(Number(size) - 100) })
      const outcome = await connection.until('an end or an answer', () => connection.state.ended ?? connection.unread[0])
      if ('type' in outcome) throw new Withheld('not seen', 'the server reads frames of max_payload before authentication')
      check(outcome.code === 1009, 'close code 1009', outcome)
    }
  },
  {
    rule: 'P59',
    title: 'a list comes in pages, the last of which has a null next_cursor',
    async run (stage) {
      const { host, name } = await stage.pair()
      const first = await host.must({ type: 'user_list', channel: name, limit: 1 })
      check(first.users.length === 1 && typeof first.next_cursor === 'string', 'one user and a next_cursor', first)
      const last = await host.must({ type: 'user_list', channel: name, limit: 1, cursor: first.next_cursor })
      check(last.users.length === 1 && last.next_cursor === null, 'the other user and null as next_cursor', last)
      const ids = [...first.users, ...last.users].map(({ user_id: id }) => id as string)
      same([...ids].sort(), [stage.ann.id, stage.ben.id].sort(), 'both users on two pages:')
    }
  },
  {
    rule: 'notices',
    title: 'the reply to a message comes before the message, and channel_joined before the channel\'s messages',
    async run (stage) {
      const { host, name } = await stage.pair()
      for (let n = 0; n < 5; n++) host.send({ type: 'send_message', channel: name, message: `${n}`, client_id: `c${n}` })
      await host.expect('the last message', frame => isMessage(name)(frame) && frame.client_id === 'c4')
      const last = host.unread.findIndex(frame => frame.type === 'message' && frame.client_id === 'c0')
      const ack = host.unread.findIndex(frame => frame.type === 'success' && frame.data?.client_id === 'c0')
      check(ack >= 0 && ack < last, 'the reply before the message', host.unread.map(kindOf))
      const reader = await stage.connect(stage.ben)
      for (let n = 0; n < 5; n++) host.send({ type: 'send_message', channel: name, message: `${n}` })
      reader.send({ type: 'join_channel', channel: name, history: 1 })
      const joinedAt = (): number => reader.unread.findIndex(({ action }) => action === 'channel_joined')
      await reader.until('channel_joined', () => joinedAt() >= 0 || undefined)
      host.send({ type: 'send_message', channel: name, message: 'last', client_id: 'last' })
      await reader.until('the last message', () => reader.unread.some(({ client_id: id }) => id === 'last') || undefined)
      const joined = joinedAt()
      const message = reader.unread.findIndex(isMessage(name))
      check(joined >= 0 && joined < message, 'channel_joined before any message', reader.unread.map(kindOf))
    }
  }
]

/** Waits until this many replies have arrived, and takes them, in order. */
async function replies (connection: Connection, count: number): Promise<Frame[]> {
  const taken: Frame[] = []
  while (taken.length < count) taken.push(await connection.expect(`reply ${taken.length + 1}`, ({ type }) => REPLIES.includes(type)))
  return taken
}

function kindOf ({ type, action, data, code }: Frame): string {
  return data?.client_id ?? action ?? code ?? type
}

/** Sends signals until one is refused. @throws Withheld if none is. */
async function floodSignals (connection: Connection, channel: string): Promise<Frame> {
  for (let n = 0; n < 400; n += 20) {
    for (let i = 0; i < 20; i++) connection.send({ type: 'signal', channel, event: 'flood' })
    const refused = (await replies(connection, 20)).find(({ code }) => code === 'rate_limited')
    if (refused) return refused
  }
  throw new Withheld('not seen', 'no limit was met within 400 signals')
}
