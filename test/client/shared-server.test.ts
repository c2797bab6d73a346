import type { Clock, Message, WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { eventually } from '../eventually.ts'
import { startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { createClient, historyOf, settled } from './clients.ts'
import { startLine } from '../../src/testing/line.ts'
import { createMultiplexer, createTab } from './shared.ts'

const TABS = 4
const ROUNDS = 25

const clock: Clock = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimeout: (action, ms) => setTimeout(action, ms),
  clearTimeout: timer => clearTimeout(timer as NodeJS.Timeout)
}

const server = await startServer(t)
const line = await startLine(t, server.port)

/** Tabs of one login in this process, over one socket to the server. */
async function openTabs (t: Parameters<typeof createClient>[0]) {
  const person = await server.register('ann')
  const multiplexer = createMultiplexer({
    url: `${line.url.replace('http', 'ws')}/websocket`, clock, WebSocket: WebSocket as unknown as WebSocketLike
  })
  const open = () => {
    const { WebSocket, crash } = createTab(multiplexer)
    const parley = createClient(t, line.url, person, { WebSocket })
    t.teardown(crash)
    parley.connect()
    return { parley, crash, channel: parley.channel('busy', { history: 100 }) }
  }
  return { person, open }
}

t.test('[C1] [C9] tabs that come, go and die at a busy channel, while their socket is cut, show exactly its history', async t => {
  const { person, open } = await openTabs(t)
  const writer = await server.enter('writer', 'busy')
  const tabs = Array.from({ length: TABS }, open)
  const closings = new Map<number, () => void>()
  for (let round = 0; round < ROUNDS; round++) {
    for (let i = 0; i < 4; i++) writer.send({ type: 'send_message', channel: 'busy', message: `${round}.${i}` })
    // Each round changes one tab while messages are under way: it opens the channel, closes it, or dies and comes back.
    const chosen = round % TABS
    const close = closings.get(chosen)
    if (round % 7 === 6) {
      tabs[chosen]!.crash()
      await tabs[chosen]!.parley.disconnect()
      tabs[chosen] = open()
      closings.delete(chosen)
    } else if (close && round % 3 === 0) {
      close()
      closings.delete(chosen)
    } else if (!close) {
      closings.set(chosen, tabs[chosen]!.channel.open())
      tabs[chosen]!.channel.send(`by tab ${chosen} in round ${round}`)
    }
    if (round % 10 === 9) line.cut()
    await writer.expect('success')
  }
  for (const { channel } of tabs) channel.open()
  for (const { channel } of tabs) await settled(channel, 30_000)
  await writer.request({ type: 'send_message', channel: 'busy', message: 'the end' })
  const history = await historyOf(server, person, 'busy')
  for (const { channel } of tabs) {
    await eventually(() => channel.getSnapshot().messages.at(-1)?.message === 'the end')
    const { messages } = channel.getSnapshot()
    t.same(messages, history.slice(-messages.length))
    t.ok(messages.length >= 100)
  }
  t.equal(new Set(history.map(({ client_id: id }: Message) => id).filter(id => id)).size, history.filter(({ client_id: id }) => id).length)
  t.equal(line.sockets, 1)
})
