import { setTimeout as rest } from 'node:timers/promises'
import { createParley, type Channel, type Readable, type WebSocketLike } from '@parley/client'
import { WebSocket } from 'ws'
import { PASSWORD, type Person } from './people.ts'
import type { Random } from './random.ts'

/** Milliseconds that a connection, a join or an answer of the server may take. */
const PATIENCE = 15_000

/** Answers of scripted people to direct messages. The first one is for the first message of a visit. */
const answers = [
  'Hello! How nice of you to write. I am one of the scripted people of this demo, so I answer kindly, but never quite to the point 🙂',
  'That is a good question. I would ask in #help, they know everything there.',
  'Tell me more! I am putting the kettle on meanwhile ☕',
  'Ha, I was thinking the same this morning.',
  'I am not sure, but I like how you put it.',
  'Let us talk about it on Sunday, over cake.',
  'Thank you for telling me. It means a lot ❤️',
  'I would not worry. Most things look smaller after lunch.'
]

/** A scripted person with a client of their own. */
export interface Actor {
  person: Person
  readonly isHere: boolean
  /** Logs in, connects and opens all channels that the person is in. @throws ParleyError, or TimeoutError after a quarter of a minute. */
  come (): Promise<void>
  go (): Promise<void>
  /** The channel, if the person is there and may write in it now. */
  channelOf (name: string): Channel | undefined
}

export interface ActorOptions {
  url: string
  person: Person
  random: Random
  /** Ends all waiting. */
  signal: AbortSignal
  onFault (error: unknown): void
}

/** Creates a scripted person, who is not there yet. While they are there, they answer direct messages. */
export function createActor ({ url, person, random, signal, onFault }: ActorOptions): Actor {
  const parley = createParley({
    url, WebSocket: WebSocket as unknown as WebSocketLike, storage: 'memory',
    log (event) { if (event.type === 'fault') onFault(event.error) }
  })
  const channels = new Map<string, Channel>()
  /** Functions that close channels and end subscriptions. */
  const closing: Array<() => void> = []
  let isHere = false
  /** Direct channels in which an answer is being written. */
  const answering = new Set<string>()
  let answered = 0

  async function come (): Promise<void> {
    if (!parley.account.getSnapshot()) await parley.account.login({ email: person.email, password: PASSWORD })
    parley.connect()
    closing.push(parley.inbox.subscribe(answerDirects))
    await until(parley.inbox, ({ state }) => state === 'live')
    for (const { name } of parley.inbox.getSnapshot().channels) {
      const channel = parley.channel(name, { history: 20, presence: 'off' })
      channels.set(name, channel)
      closing.push(channel.open())
    }
    isHere = true
    answerDirects()
  }

  async function go (): Promise<void> {
    isHere = false
    for (const close of closing.splice(0)) close()
    channels.clear()
    await parley.disconnect()
  }

  function answerDirects (): void {
    for (const { name, unread_count: unread, last_seq: seq } of parley.inbox.getSnapshot().directs) {
      if (unread > 0 && isHere && !answering.has(name)) answer(name, seq).catch(onFault)
    }
  }

  async function answer (name: string, seq: number): Promise<void> {
    answering.add(name)
    const channel = parley.channel(name, { history: 20, presence: 'off' })
    const close = channel.open()
    try {
      await until(channel, ({ state }) => state === 'live')
      channel.markRead(seq)
      channel.typing()
      await rest(random.between(1500, 3500), undefined, { signal })
      const text = answers[answered++ % answers.length]!
      // The server stores a `clientId` once, so that nothing is answered twice.
      await channel.send(text, { clientId: `answer-${seq}`, signal: patience() })
    } finally {
      close()
      answering.delete(name)
    }
    answerDirects()
  }

  const patience = (): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(PATIENCE)])

  /** Resolves when a value of the client fulfils the condition. @throws the reason of the signal if that takes too long. */
  function until<T> (readable: Readable<T>, condition: (value: T) => boolean): Promise<void> {
    const limit = patience()
    return new Promise((resolve, reject) => {
      function look (): void {
        if (!limit.aborted && !condition(readable.getSnapshot())) return
        stop()
        limit.removeEventListener('abort', look)
        if (limit.aborted) reject(limit.reason)
        else resolve()
      }
      const stop = readable.subscribe(look)
      limit.addEventListener('abort', look)
      look()
    })
  }

  return {
    person,
    get isHere () { return isHere && parley.getSnapshot().state === 'online' },
    come,
    go,
    channelOf (name) {
      const channel = channels.get(name)
      const { state, details } = channel?.getSnapshot() ?? {}
      const mutedUntil = details?.me.muted_until ?? null
      const isMuted = mutedUntil !== null && Date.parse(mutedUntil) > Date.now()
      return state === 'live' && !isMuted ? channel : undefined
    }
  }
}
