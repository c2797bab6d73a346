// Runs clients of @parley/client in a process of their own, as the JSON in the environment variable `CLIENTS` says. Each client makes an
// account and opens all channels. What it is to do next comes over IPC; each order is answered once. After `leave` nothing here ends the
// process: it has to end by itself, because the clients have left nothing behind [C10].
import { setTimeout as sleep } from 'node:timers/promises'
import { createParley, type Channel, type ChannelState, type Receipt, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { eventually } from '../eventually.ts'
import type { EntryMark } from '../../src/schemas/message.ts'

/** `urls`: each client uses one of them, in turn. `pause`: most milliseconds between two sends of one client to one channel. */
export interface ClientsTask { urls: string[], clients: number, channels: string[], pause: number }

/**
 * `talk`: begin to send. `rest`: stop sending, wait until all that was sent is stored, and fill all gaps. `show`: tell what is shown.
 * `leave`: disconnect.
 */
export type ClientsOrder = 'talk' | 'rest' | 'show' | 'leave'

/** The outcome of a send: a receipt, a code that refused it, or neither. `text` names its sender, and its place among their sends. */
export interface SentByClient { channel: string, text: string, receipt?: Receipt, code?: string }

/** A change of a message that was acked. A reaction that was there already, or no longer, has no `seq`. */
export type ChangedByClient = EntryMark & { channel: string, seq?: number }

/** A channel as one client shows it. */
export type Shown = Pick<ChannelState, 'messages' | 'outbox' | 'gap' | 'state'> & { client: string, channel: string }

/** `filled`: messages that were missing after a refused resume, and were read later. `attempts`: connections that were tried. */
export interface ClientsAnswer {
  sent?: SentByClient[]
  changed?: ChangedByClient[]
  filled?: number
  attempts?: number
  faults?: string[]
  shown?: Shown[]
}

/** Milliseconds within which everything that was sent has to be stored, and every channel live. */
const PATIENCE = 60_000
const REACTIONS = ['👍', '🎉', '👀']
/** A sender edits one of eight messages, deletes another, and reacts to somebody's message after a third: these are their places. */
const [EDITED, DELETED, REACTED] = [1, 3, 5]

const { urls, clients: count, channels: names, pause } = JSON.parse(process.env.CLIENTS!) as ClientsTask
const faults: string[] = []
let attempts = 0
let isTalking = false
const sent: SentByClient[] = []
const changed: ChangedByClient[] = []
const underWay: Array<Promise<unknown>> = []

/** They enter one after the other, because each registration hashes a password. */
const clients: Array<{ name: string, userId: string, channels: Channel[], disconnect (): Promise<void> }> = []
for (let i = 0; i < count; i++) clients.push(await enter(`client-${i}`, urls[i % urls.length]!))

async function enter (name: string, url: string) {
  const parley = createParley({
    url,
    WebSocket: WebSocket as unknown as WebSocketLike,
    log (event) {
      if (event.type === 'fault') faults.push(`${name}: ${String(event.error)}`)
      if (event.type === 'connection' && event.state.state === 'connecting') attempts++
      if (event.type === 'connection' && event.state.state === 'ended') faults.push(`${name} ended: ${JSON.stringify(event.state.reason)}`)
    }
  })
  const { user_id: userId } = await parley.account.register({ email: `${name}@example.org`, name, password: 'correct horse' })
  parley.connect()
  const channels = names.map(channel => parley.channel(channel, { presence: 'count' }))
  for (const channel of channels) channel.open()
  for (const channel of channels) await eventually(() => channel.getSnapshot().state === 'live', PATIENCE)
  return { name, userId, channels, disconnect: parley.disconnect }
}

/** Sends messages to a channel, some of them with data or as replies, and now and then changes one that is there. */
async function talk (who: string, userId: string, channel: Channel): Promise<void> {
  const change = createChanges(channel, userId)
  let kept: string | undefined
  for (let i = 0; isTalking; i++) {
    const own: SentByClient = { channel: channel.name, text: `${who} ${i}` }
    sent.push(own)
    const done = channel.send(own.text, {
      ...i % 4 === 1 && { data: { place: i } },
      ...i % 5 === 2 && kept !== undefined && { replyTo: kept }
    }).then(receipt => {
      own.receipt = receipt
      // A reply to a message that is deleted meanwhile would be refused.
      if (i % 8 !== DELETED) kept = receipt.id
    }, (error: { code: string }) => { own.code = error.code })
    underWay.push(done)
    if (i % 2 === 1) underWay.push(done.then(() => change(own, i)))
    await sleep(Math.random() * pause)
  }
}

/** Makes changes of the messages in a channel. They may fail: then nobody knows whether they took effect, but what is shown says so. */
function createChanges (channel: Channel, userId: string) {
  let reacted: { id: string, reaction: string } | undefined

  async function react ({ id, reaction }: { id: string, reaction: string }, on: boolean): Promise<void> {
    const { seq } = await channel.react(id, reaction, on)
    const type = on ? 'reaction_added' : 'reaction_removed'
    changed.push({ channel: channel.name, type, id, user_id: userId, reaction, ...seq !== undefined && { seq } })
  }

  return async function change ({ text, receipt }: SentByClient, i: number): Promise<void> {
    if (!receipt) return
    const { id } = receipt
    const { messages } = channel.getSnapshot()
    const other = messages[Math.max(0, messages.length - 1 - i % 7)]
    try {
      if (i % 8 === EDITED) {
        const { seq } = await channel.edit(id, `${text} edited`)
        changed.push({ channel: channel.name, type: 'message_edited', id, seq })
      } else if (i % 8 === DELETED) {
        const { seq } = await channel.remove(id)
        changed.push({ channel: channel.name, type: 'message_deleted', id, seq })
      } else if (i % 8 === REACTED && other) {
        reacted = { id: other.id, reaction: REACTIONS[i % REACTIONS.length]! }
        await react(reacted, true)
      } else if (reacted) await react(reacted, false)
    } catch {
      // The connection was lost, or the message is deleted by now.
    }
  }
}

async function rest (): Promise<ClientsAnswer> {
  isTalking = false
  await Promise.race([Promise.all(underWay), sleep(PATIENCE, undefined, { ref: false })])
  let filled = 0
  const end = performance.now() + PATIENCE
  for (const { name, channels } of clients) {
    for (const channel of channels) {
      const { getSnapshot } = channel
      await eventually(() => getSnapshot().state === 'live' && getSnapshot().outbox.length === 0, end - performance.now())
        .catch(() => faults.push(`${name}: ${channel.name} is ${getSnapshot().state}, ${JSON.stringify(getSnapshot().outbox)}`))
      while (channel.getSnapshot().gap) {
        const added = await channel.older(100)
        filled += added
        if (added === 0) break
      }
    }
  }
  return { sent, changed, filled, attempts, faults }
}

function show (): ClientsAnswer {
  const shown = clients.flatMap(({ name, channels }) => channels.map(channel => {
    const { messages, outbox, gap, state } = channel.getSnapshot()
    return { client: name, channel: channel.name, messages, outbox, state, ...gap && { gap } }
  }))
  return { shown }
}

async function carryOut (order: ClientsOrder): Promise<ClientsAnswer> {
  if (order === 'rest') return rest()
  if (order === 'show') return show()
  if (order === 'leave') await Promise.all(clients.map(({ disconnect }) => disconnect()))
  else {
    isTalking = true
    for (const { name, userId, channels } of clients) for (const channel of channels) underWay.push(talk(name, userId, channel))
  }
  return {}
}

process.on('message', async (order: ClientsOrder) => {
  const answer = await carryOut(order)
  process.send!(answer, () => { if (order === 'leave') process.disconnect() })
})
process.send!({} satisfies ClientsAnswer)
