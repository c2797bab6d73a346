import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Channel, Message, Receipt } from '@parley/client'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { createAccessTokens } from '../../scripts/bench/tokens.ts'
import type { AccessClaims } from '../../src/schemas/auth.ts'
import { secret, startServer, type ConfigChange, type Person } from '../helper.ts'
import { startClients } from '../faults/client-process.ts'
import { t } from '../tap.ts'
import { asShown, createClient, historyOf, settled } from './clients.ts'
import { startHarm } from './harm.ts'

const NAMES = ['ann', 'bob', 'cid', 'dan']
const CHANNELS = ['one', 'two', 'three']
const SENDS = 15
/** Harms to connections before the clients end their talk. */
const HARMS = 3
/** Milliseconds between two harms to connections. */
const HARM_EVERY = 300
/** Seconds for which an access token is good. */
const TOKEN_LIFE = 5
/** Milliseconds that each way takes. */
const DELAY = 3

/** The messages that one client has sent to one channel. */
interface Sent { channel: Channel, text: string, receipt?: Receipt }

t.test('[C1] [C3] G17: through cuts, stalls and a restart each window is the history, and each resolved send is stored once', async t => {
  const config: ConfigChange = { limits: { enabled: false }, performance: { heartbeat_interval: 1 } }
  const first = await startServer(t, { config })
  const line = await startLine(t, first.port)
  line.delay(DELAY)
  const { sign, verify } = await createAccessTokens(secret)
  const shortLived = ({ access_token: token }: Person): string => {
    const iat = Math.floor(Date.now() / 1000)
    return sign({ ...verify(token) as AccessClaims, iat, exp: iat + TOKEN_LIFE })
  }
  const people = await Promise.all(NAMES.map(async name => first.register(name)))
  const clients = people.map(person => {
    const parley = createClient(t, line.url, person, { token: () => shortLived(person) })
    const channels = CHANNELS.map(name => parley.channel(name, { presence: 'off' }))
    for (const channel of channels) channel.open()
    parley.connect()
    return { parley, channels }
  })
  for (const { channels } of clients) for (const channel of channels) await settled(channel)

  const ledger: Sent[] = []
  const failures: unknown[] = []
  const harm = startHarm([line], HARM_EVERY)

  /** Sends to all channels of a client until enough connections are harmed, and now and then changes a message that it has sent. */
  async function talk ({ channels }: typeof clients[number], who: string): Promise<void> {
    const waiting: Array<Promise<unknown>> = []
    for (let i = 0; i < SENDS || harm.count() < HARMS; i++) {
      for (const channel of channels) {
        const sent: Sent = { channel, text: `${who} ${channel.name} ${i}` }
        ledger.push(sent)
        waiting.push(channel.send(sent.text).then((receipt): Promise<unknown> | undefined => {
          sent.receipt = receipt
          if (i % 7 === 3) return channel.edit(receipt.id, `${sent.text}, edited`)
          if (i % 11 === 5) return channel.remove(receipt.id)
          if (i % 5 === 2) return channel.react(receipt.id, '👍')
        }).catch((error: unknown) => { if (!sent.receipt) failures.push(error) }))
      }
      await sleep(Math.random() * 150)
    }
    await Promise.all(waiting)
  }

  const talking = Promise.all(clients.map((client, i) => talk(client, NAMES[i]!)))
  await eventually(() => ledger.filter(({ receipt }) => receipt).length > ledger.length / 3 && ledger.length > 60, 60_000)
  await first.close()
  const second = await startServer(t, { config, databaseUrl: first.databaseUrl })
  line.leadTo(second.port)
  await talking
  await harm.stop()

  t.same(failures, [])
  for (const name of CHANNELS) {
    const history = await historyOf(second, people[0]!, name)
    const ids = history.map(({ client_id: id }) => id)
    const sent = ledger.filter(({ channel }) => channel.name === name)
    t.equal(history.length, sent.length, `${name}: as many messages as sends`)
    t.equal(new Set(ids).size, ids.length, `${name}: none is stored twice`)
    for (const { text, receipt } of sent) {
      const message = history.find(({ id }) => id === receipt?.id)
      t.ok(message && (message.deleted || message.message!.startsWith(text)), `${text} is stored`)
    }
    for (const who of NAMES) {
      const texts = history.filter(({ username, deleted }) => username === who && !deleted).map(({ message }) => message!)
      const own = texts.map(text => Number(text.split(/[ ,]/)[2]))
      t.same(own, [...own].sort((a, b) => a - b), `${name}: in the order in which ${who} has sent`)
    }
    for (const [i, { channels }] of clients.entries()) {
      const channel = channels[CHANNELS.indexOf(name)]!
      await settled(channel)
      // The last entries may still be on their way, also to the database, because the connection of a change may have been cut.
      const shown = (): Message[] => channel.getSnapshot().messages.map(asShown)
      let now = history
      await eventually(async () => {
        now = await historyOf(second, people[0]!, name)
        return isDeepStrictEqual(shown(), now.map(asShown))
      }).catch(() => {})
      t.same(shown(), now.map(asShown), `${name}: what ${NAMES[i]} sees is the history`)
      t.same(channel.getSnapshot().outbox, [])
    }
  }
})

t.test('[C10] a process with clients ends by itself after they have disconnected, also over a dead network', async t => {
  const server = await startServer(t, { config: { limits: { enabled: false } } })
  const line = await startLine(t, server.port)
  const clients = await startClients(t, { urls: [line.url], clients: 2, channels: ['one'], pause: 50 })
  await clients.order('talk')
  const { sent = [], faults } = await clients.order('rest')
  t.ok(sent.length > 0 && sent.every(({ receipt }) => receipt))
  t.same(faults, [])
  line.stall()
  t.match(await clients.leave(), { code: 0 })
})
