import { randomUUID } from 'node:crypto'
import type { Frame } from '../client.ts'
import { failure, startServer } from '../helper.ts'
import { createRows } from '../rows.ts'
import { t } from '../tap.ts'

const server = await startServer(t, {
  config: { authentication: { enabled: false }, channels: { max_reactions: 3 }, limits: { enabled: false } }
})
const rows = createRows(server.database)

async function arrange () {
  const { id: channelId, name } = await rows.channel()
  const ann = await server.enter('ann')
  await rows.member({ id: channelId, name }, ann)
  await ann.request({ type: 'join_channel', channel: name })
  const { data: { id: message } } = await ann.request({ type: 'send_message', channel: name, message: 'x' })
  const react = (fields: object, command = 'add_reaction'): Promise<Frame> =>
    ann.exchange({ command, channel: name, id: message, reaction: '👍', ...fields })
  const token = ann.person.access_token
  const put = (reaction: string, id = message) =>
    server.call('PUT', `/api/channels/${name}/messages/${id}/reactions/${encodeURIComponent(reaction)}`, { token, body: {} })
  const stored = () => server.database.prisma.reaction.count({ where: { channelId } })
  return { ann, channelId, name, message, react, put, stored }
}

/** Each kind of text that is no reaction. */
const wrong: Record<string, string> = {
  empty: '',
  'a blank': ' ',
  'a blank at the end': 'a ',
  'a blank within': 'a b',
  'a line break': 'a\nb',
  'a no-break space': 'a\u00a0',
  'an ideographic space': '\u3000',
  'a zero-width space': 'a\u200b',
  'a byte order mark': '\ufeff',
  'a line separator': '\u2028',
  NUL: 'a\0',
  'a control': 'a\u0007',
  'DEL and C1': 'a\u007f\u0085',
  'a bidirectional override': 'a\u202e',
  'a bidirectional isolate': '\u2066a',
  'only joiners': '\u200d\u200d',
  'only a variation selector': '\ufe0f',
  '33 code points': 'a'.repeat(33),
  '33 emojis': '😀'.repeat(33),
  'a great deal': 'a'.repeat(10_000)
}

for (const command of ['add_reaction', 'remove_reaction']) {
  t.test(`[P9] [P40] ${command}: what is no reaction is invalid, and nothing is stored`, async t => {
    const { ann, name, message, put, stored } = await arrange()
    const values = {
      ...wrong, 'a lone surrogate': 'a\ud800', 'a pair in the wrong order': '\udc00\ud800',
      null: null, nothing: undefined, 'a number': 1, 'a boolean': true, 'an empty list': [], 'an object': {}, 'a list': ['a']
    }
    for (const [what, reaction] of Object.entries(values)) {
      // The tenth invalid frame would close the connection.
      const client = await server.login(ann.person)
      await client.request({ type: 'join_channel', channel: name })
      const reply = await client.exchange({ command, channel: name, id: message, reaction })
      t.match(reply, { code: 'invalid_frame', message: /^Invalid message: reaction: / }, what)
      client.socket.terminate()
    }
    for (const [what, reaction] of Object.entries(wrong).filter(([, text]) => text !== '')) {
      t.match(await put(reaction), { status: 400, body: { code: 'invalid_request' } }, `${what} over REST`)
    }
    t.equal(await stored(), 0)
  })

  t.test(`[P40] ${command}: anything but a live message of the channel is message_not_found, and nothing is stored`, async t => {
    const { ann, name, react, put, stored } = await arrange()
    const other = await arrange()
    const { data: { id: deleted } } = await ann.request({ type: 'send_message', channel: name, message: 'x' })
    await ann.request({ command: 'delete_message', channel: name, id: deleted })
    for (const id of [randomUUID(), other.message, deleted, 'x', '', '\0', '\ud800', '__proto__']) {
      t.same(await react({ id }, command), failure('message_not_found'), JSON.stringify(id))
    }
    for (const id of [null, 1, {}]) t.match(await react({ id }, command), { code: 'invalid_frame' }, JSON.stringify(id))
    for (const id of [randomUUID(), other.message, deleted, 'x']) {
      t.match(await put('👍', id), { status: 404, body: { code: 'message_not_found' } })
    }
    t.same(await react({ channel: 'nowhere' }, command), failure('not_in_channel'))
    t.same(await react({ channel: undefined }, command), failure('channel_required'))
    t.equal(await stored(), 0)
  })
}

t.test('[P40] 32 code points, emojis of several code points, and what looks like code or mark-up are reactions', async t => {
  for (const reaction of ['a'.repeat(32), '😀'.repeat(32), '👩‍👩‍👧‍👦', '🏴󠁧󠁢󠁥󠁮󠁧󠁿', '❤️', 'é', 'ﷺ', ':tada:', '<b>', '__proto__', '";--']) {
    const { ann, react } = await arrange()
    t.match(await react({ reaction }), { data: { seq: 2, reaction } }, reaction)
    t.match(await ann.expect('reaction_added'), { reaction })
  }
})

t.test('[P40] the cap is the configured one', async t => {
  const { react } = await arrange()
  const replies = []
  for (const reaction of ['a', 'b', 'c', 'd', 'a']) replies.push(await react({ reaction }))
  t.same(replies.map(({ code, data }) => code ?? data.seq), [2, 3, 4, 'too_many_reactions', undefined])
})

t.test('[P16] [P40] a guest cannot react, with or without a subscription', async t => {
  const { name, message, stored } = await arrange()
  const guest = await server.connect()
  await guest.request({ type: 'authenticate' })
  const react = (command: string): Promise<Frame> => guest.exchange({ command, channel: name, id: message, reaction: '👍' })
  for (const command of ['add_reaction', 'remove_reaction']) t.same(await react(command), failure('not_in_channel'))
  await guest.request({ type: 'join_channel', channel: name })
  for (const command of ['add_reaction', 'remove_reaction']) t.same(await react(command), failure('not_authorized'))
  t.equal(await stored(), 0)
})

t.test('[P40] repair brings reactions to one message although others to the same message are being committed all the time', async t => {
  const { ann, name, message, channelId } = await arrange()
  const ben = await server.enter('ben')
  await rows.member({ id: channelId, name }, ben)
  await ben.request({ type: 'join_channel', channel: name })
  let isOver = false
  const steady = (async () => {
    for (let i = 0; !isOver; i++) {
      await ben.request({ command: i % 2 ? 'remove_reaction' : 'add_reaction', channel: name, id: message, reaction: 'b' })
    }
  })()
  // Somebody else's instance stores a reaction, and its bus says nothing of it.
  const carl = await server.register('carl')
  await rows.member({ id: channelId, name }, { user: carl.user })
  const [row] = await server.database.prisma.$queryRaw<Array<{ seq: bigint }>>`
    SELECT seq FROM parley_react(json_build_array(json_build_object(
      'n', ${name}::text, 'u', ${carl.user.id}::uuid, 's', null, 'i', ${message}::uuid, 'r', 'c', 'a', true)), 20)`
  t.match(await ann.expect(({ type, reaction }) => type === 'reaction_added' && reaction === 'c'), { seq: Number(row!.seq) })
  isOver = true
  await steady
})
