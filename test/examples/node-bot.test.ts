import { join } from 'node:path'
import { createParley, type Message, type Parley, type WebSocketLike } from '@parley/client'
import WebSocket from 'ws'
import { root } from '../../scripts/root.ts'
import { startLine } from '../../src/testing/line.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'
import { run, runExample } from './example.ts'

const DEADLINE = 30_000
const bot = join(root, 'examples/node-bot/bot.js')

function open (parley: Parley, name: string) {
  const channel = parley.channel(name)
  channel.open()
  const answers = (): Message[] => channel.getSnapshot().messages.filter(({ username }) => username === 'bot')
  return {
    answers,
    /** Mentions the bot, and returns the message's id. */
    mention: async () => (await channel.send('@parley_bot, what time is it?')).id,
    answered: (id: string) => eventually(() => answers().some(answer => answer.reply_to === id), DEADLINE)
  }
}

t.test('npm run example -- node-bot: the bot answers mentions, those that it has missed too, and each once', async t => {
  const { server } = await runExample(t, 'node-bot')
  const parley = createParley({ url: server, token: () => null, WebSocket: WebSocket as unknown as WebSocketLike })
  t.teardown(() => parley.disconnect())
  parley.connect()
  const general = open(parley, 'general')
  await general.answered(await general.mention())
  await parley.channel('general').send('nobody is mentioned')

  const line = await startLine(t, Number(new URL(server).port))
  const first = run(t, [bot], { PARLEY_URL: line.url, BOT_CHANNEL: 'lab' })
  await eventually(() => first.output().includes('in #lab: online'), DEADLINE)
  const lab = open(parley, 'lab')
  await lab.answered(await lab.mention())
  line.down(true)
  line.cut()
  const missed = await lab.mention()
  await eventually(() => first.output().includes('waiting'), DEADLINE)
  line.down(false)
  await lab.answered(missed)

  await first.stop()
  const unheard = await lab.mention()
  run(t, [bot], { PARLEY_URL: server, BOT_CHANNEL: 'lab' })
  await lab.answered(unheard)
  t.equal(lab.answers().length, 3, 'the new bot has answered nothing again')
  t.equal(general.answers().length, 1)
})
