import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import type { Channel, Receipt } from '@parley/client'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { startServer, type ConfigChange } from '../helper.ts'
import { t } from '../tap.ts'
import { createClient, historyOf, settled } from './clients.ts'

const NAMES = ['ann', 'bob', 'cid', 'dan']
const CHANNELS = ['one', 'two', 'three']
const SENDS = 15
/** Milliseconds between two cuts, and the share of the connections that each ends. */
const CUT_EVERY = 400
const CUT_SHARE = 0.3
/** Milliseconds that each way takes. */
const DELAY = 3

/** What one client has sent to one channel. */
interface Sent { channel: Channel, text: string, receipt?: Receipt }

t.test('[C1] [C3] through cuts and a restart of the server each window is the history, and each resolved send is stored once', async t => {
  const config: ConfigChange = { limits: { enabled: false } }
  const first = await startServer(t, { config })
  const line = await startLine(t, first.port)
  line.delay(DELAY)
  const people = await Promise.all(NAMES.map(async name => first.register(name)))
  const clients = people.map(person => {
    const parley = createClient(t, line.url, person)
    const channels = CHANNELS.map(name => parley.channel(name, { presence: 'off' }))
    for (const channel of channels) channel.open()
    parley.connect()
    return { parley, channels }
  })
  for (const { channels } of clients) for (const channel of channels) await settled(channel)

  const ledger: Sent[] = []
  const failures: unknown[] = []
  let cuts = 0
  let isBusy = true
  const cutting = (async () => {
    while (isBusy) {
      await sleep(CUT_EVERY)
      line.cutSome(() => Math.random() < CUT_SHARE)
      cuts++
    }
  })()

  /** Sends to all channels of a client, and now and then changes a message that it has sent. */
  async function talk ({ channels }: typeof clients[number], who: string): Promise<void> {
    const waiting: Array<Promise<unknown>> = []
    for (let i = 0; i < SENDS; i++) {
      for (const channel of channels) {
        const sent: Sent = { channel, text: `${who} ${channel.name} ${i}` }
        ledger.push(sent)
        waiting.push(channel.send(sent.text).then(receipt => {
          sent.receipt = receipt
          if (i % 7 === 3) return channel.edit(receipt.id, `${sent.text}, edited`)
          if (i % 11 === 5) return channel.remove(receipt.id)
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
  isBusy = false
  await cutting

  t.same(failures, [])
  t.ok(cuts > 2, `${cuts} cuts`)
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
      // The last entries may still be on their way.
      await eventually(() => isDeepStrictEqual(channel.getSnapshot().messages, history)).catch(() => {})
      t.same(channel.getSnapshot().messages, history, `${name}: what ${NAMES[i]} sees is the history`)
      t.same(channel.getSnapshot().outbox, [])
    }
  }
})
