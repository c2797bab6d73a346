import { createParley, type Channel, type Clock, type Message, type ParleyOptions, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { eventually } from '../eventually.ts'
import type { Person, Scope, Server } from '../helper.ts'

/** How many times as fast as usual time passes for the tests' clients. */
const SPEED = 5
const start = Date.now()

/** A clock on which waits are shorter than usual. */
const fastClock: Clock = {
  now: () => start + (Date.now() - start) * SPEED,
  random: () => Math.random(),
  setTimeout: (action, ms) => setTimeout(action, ms / SPEED),
  clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout)
}

/** A client of the real server that is logged in as this person. It ends with the test. */
export function createClient (t: Scope, url: string, person: Pick<Person, 'access_token'>, options: ParleyOptions = {}) {
  const parley = createParley({
    url, token: () => person.access_token, clock: fastClock, WebSocket: WebSocket as unknown as WebSocketLike, ...options
  })
  t.teardown(() => parley.disconnect())
  return parley
}

/** Waits until the channel is live and has nothing left to send. */
export async function settled (channel: Channel, deadline?: number): Promise<void> {
  await eventually(() => channel.getSnapshot().state === 'live' && channel.getSnapshot().outbox.length === 0, deadline)
}

/** The whole history of a channel, as the server has it. */
export async function historyOf (server: Pick<Server, 'call'>, person: Pick<Person, 'access_token'>, name: string): Promise<Message[]> {
  const messages: Message[] = []
  for (let after = 0; ;) {
    const { body } = await server.call('GET', `/api/channels/${name}/messages?after=${after}&limit=100`, { token: person.access_token })
    messages.push(...body.messages)
    if (body.messages.length < 100) return messages
    after = body.messages.at(-1).seq
  }
}

/** A message without the number up to which its reactions are counted: that depends on when it was read. */
export function asShown ({ reactions_seq: seq, ...message }: Message): Message {
  return message
}
