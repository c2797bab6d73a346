// A bot that answers whoever mentions it in one channel. See README.md.
import { createParley } from '@parley/client'
import WebSocket from 'ws'

const {
  PARLEY_URL: url = 'http://localhost:8080',
  BOT_EMAIL: email = 'bot@example.org',
  BOT_PASSWORD: password = 'a long password',
  BOT_CHANNEL: name = 'general'
} = process.env

const parley = createParley({ url, WebSocket })
try {
  await parley.account.login({ email, password })
} catch (error) {
  if (error.code !== 'authentication_failed') throw error
  await parley.account.register({ email, password, name: 'bot', handle: 'parley_bot' })
}

const me = parley.account.getSnapshot()
const channel = parley.channel(name)
let readTo = 0

channel.subscribe(() => {
  const unread = channel.getSnapshot().messages.filter(({ seq }) => seq > readTo)
  readTo = unread.at(-1)?.seq ?? readTo
  for (const message of unread) {
    if (message.user_id !== me.user_id && message.message?.includes(`@${me.handle}`)) answer(message)
  }
})
parley.subscribe(() => console.log(`@${me.handle} in #${name}: ${parley.getSnapshot().state}`))
channel.open()
parley.connect()

/** The server stores a `clientId` once, so a bot that starts anew answers nothing twice. */
function answer ({ id, username }) {
  channel.send(`${username}, it is ${new Date().toLocaleTimeString()}.`, { replyTo: id, clientId: `answer-${id}` })
    .catch(error => console.error(`no answer to ${id}: ${error.message}`))
}
