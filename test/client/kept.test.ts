import type { KeptMessage, OutboxStorage, Parley } from '@parley/client'
import { t, type Test } from '../tap.ts'
import { createScene, iso, me, type Scene } from './scripted.ts'

interface Row { userId: string, owner: number, message: KeptMessage }

/** A storage in memory, as the tabs of one browser share it. `tab` is one client's view of it. */
function createShared () {
  const rows = new Map<string, Row>()
  const state = { isFull: false, isBlocked: false }
  const alive = new Map<number, ((messages: readonly KeptMessage[]) => void) | undefined>()
  let tabs = 0

  const of = (userId: string, owner: number): KeptMessage[] => [...rows.values()]
    .filter(row => row.userId === userId && row.owner === owner).map(({ message }) => message).sort((a, b) => a.order - b.order)

  function tab (): OutboxStorage {
    const own = ++tabs
    return {
      async take (userId, onFound) {
        if (state.isBlocked) throw new Error('SecurityError')
        alive.set(own, onFound)
        for (const row of rows.values()) if (row.userId === userId && !alive.has(row.owner)) row.owner = own
        return of(userId, own)
      },
      async put (userId, message) {
        if (state.isFull || state.isBlocked) throw new Error('QuotaExceededError')
        rows.set(`${userId} ${message.channel} ${message.clientId}`, { userId, owner: own, message })
      },
      async remove (userId, { channel, clientId }) { rows.delete(`${userId} ${channel} ${clientId}`) },
      release () { alive.delete(own) }
    }
  }

  /** The tab with this number has died, and another one takes over what it had. */
  function inherit (userId: string, from: number, to: number): void {
    alive.delete(from)
    const messages = of(userId, from)
    for (const row of rows.values()) if (row.userId === userId && row.owner === from) row.owner = to
    alive.get(to)?.(messages)
  }

  return { tab, state, inherit, texts: () => [...rows.values()].map(({ message }) => message.text) }
}

/** A page over the shared storage. Its server stores what it is sent, once for each `client_id`, and knows what other pages have sent. */
function openPage (t: Test, storage: OutboxStorage, entries: Scene['room']['entries'] = []) {
  const scene = createScene(t, { outbox: { storage } })
  scene.room.entries = entries
  scene.answers.send_message = (frame, socket) => {
    const entry = entries.find(({ client_id: id }) => id === frame.client_id) ??
      scene.text(frame.message, { ...me, client_id: frame.client_id }, false)
    socket.reply(frame, 'message_sent', { channel: 'room', id: entry.id, seq: entry.seq, timestamp: iso(0), client_id: frame.client_id })
    socket.say(entry)
  }
  return scene
}

const outbox = (parley: Parley, name = 'room') => parley.channel(name).getSnapshot().outbox.map(({ text, state }) => `${text} ${state}`)
const sent = (scene: Scene) => scene.sockets.flatMap(socket => socket.asked('send_message')).map(({ message }) => message)

t.test('[C4] a page that reloads shows its unsent messages again and sends them in order, each once, with its client_id', async t => {
  const { tab, inherit, texts } = createShared()
  const first = openPage(t, tab())
  first.parley.channel('room').open()
  await first.connect()
  first.server.isSilent = true
  for (const text of ['one', 'two', 'three']) first.parley.channel('room').send(text, { data: { text }, clientId: `id of ${text}` })
  await first.clock.advance(0)
  t.same(texts(), ['one', 'two', 'three'])

  inherit('me', 1, 2)
  const second = openPage(t, tab())
  const channel = second.parley.channel('room')
  channel.open()
  second.server.isDown = true
  await second.connect()
  t.same(outbox(second.parley), [], 'whose they are is known when the server has said who the user is')
  second.server.isDown = false
  await second.clock.advance(30_000)
  t.same(sent(second), ['one', 'two', 'three'])
  t.match(second.sockets.at(-1)!.asked('send_message'), [{ client_id: 'id of one', data: { text: 'one' } }, {}, {}])
  t.match(channel.getSnapshot(), { outbox: [], messages: [{ message: 'one' }, { message: 'two' }, { message: 'three' }] })
  t.same(texts(), [])
})

t.test('[C4] earlier messages go before those sent while the storage is read, also to a channel that the page does not name', async t => {
  const { tab, inherit } = createShared()
  const first = openPage(t, tab())
  await first.connect()
  first.server.isSilent = true
  first.parley.channel('room').send('one')
  await first.clock.advance(1)
  first.parley.channel('room').send('two')
  await first.clock.advance(0)
  inherit('me', 1, 2)

  const storage = tab()
  let isRead = (): void => {}
  const waits = new Promise<void>(resolve => { isRead = resolve })
  const second = openPage(t, {
    ...storage,
    async take (...given) {
      await waits
      return storage.take(...given)
    }
  })
  await second.connect()
  await second.clock.advance(10)
  second.parley.channel('room').send('three', { clientId: 'another' })
  await second.clock.advance(0)
  t.same(sent(second), [])
  isRead()
  await second.clock.advance(0)
  t.same(sent(second), ['one', 'two', 'three'])

  const third = openPage(t, { ...tab(), async take () { return [{ channel: 'room', clientId: 'a', text: 'unnamed', order: 1 }] } })
  await third.connect()
  t.same(sent(third), ['unnamed'])
  t.equal(third.socket.asked('unsubscribe_channel').length, 1, 'the channel is left afterwards')
})

t.test('[C4] a message that was stored although its reply was lost is not sent again after a reload', async t => {
  const { tab, inherit, texts } = createShared()
  const first = openPage(t, tab())
  first.parley.channel('room').open()
  await first.connect()
  first.answers.send_message = frame => { first.text(frame.message, { ...me, client_id: frame.client_id }, false) }
  first.parley.channel('room').send('stored')
  await first.clock.advance(0)
  t.same(texts(), ['stored'])
  inherit('me', 1, 2)
  const second = openPage(t, tab(), first.room.entries)
  second.parley.channel('room').open()
  await second.connect()
  t.same(sent(second), [])
  t.same(outbox(second.parley), [])
  t.same(texts(), [])
})

t.test('[C4] messages of another login are never sent as this one, nor shown', async t => {
  const { tab, inherit, texts } = createShared()
  const first = openPage(t, tab())
  await first.connect()
  first.server.isSilent = true
  first.parley.channel('room').send('by Ann')
  await first.clock.advance(0)
  inherit('me', 1, 2)
  const second = openPage(t, tab())
  second.server.user = { ...second.server.user, user_id: 'bob' }
  second.parley.channel('room').open()
  await second.connect()
  t.same(sent(second), [])
  t.same(outbox(second.parley), [])
  t.same(texts(), ['by Ann'])

  second.server.isSilent = true
  second.parley.channel('room').send('by Bob')
  await second.clock.advance(0)
  second.server.isSilent = false
  second.server.user = { ...second.server.user, user_id: 'me' }
  second.socket.end()
  await second.clock.advance(30_000)
  t.same(sent(second).filter(text => text === 'by Bob').length, 1, 'only as Bob')
  t.match(sent(second), ['by Bob', 'by Ann'])
  t.same(texts(), [], 'what Bob wrote is dropped with his login')
})

t.test('[C4] a tab takes the messages of one that has died, and none that another tab has taken meanwhile', async t => {
  const { tab, inherit, texts } = createShared()
  const dying = openPage(t, tab())
  await dying.connect()
  dying.server.isSilent = true
  const rejected = t.rejects(dying.parley.channel('room').send('orphan'), { code: 'aborted' })
  await dying.clock.advance(0)
  const other = openPage(t, tab())
  other.parley.channel('room').open()
  await other.connect()
  t.same(sent(other), [], 'the tab lives')
  await dying.parley.disconnect()
  inherit('me', 1, 2)
  await other.clock.advance(0)
  t.same(sent(other), ['orphan'])
  t.same(texts(), [])

  const before = sent(dying).length
  dying.server.isSilent = false
  await dying.connect()
  await rejected
  t.equal(sent(dying).length, before)
  t.same(outbox(dying.parley), [])
})

t.test('[C4] what was sent before a disconnect or without a connection is kept as soon as the user is known', async t => {
  const { tab, texts } = createShared()
  const { parley, connect, server, clock } = openPage(t, tab())
  const early = parley.channel('room').send('early')
  await clock.advance(0)
  t.same(texts(), [])
  server.isSilent = true
  await connect()
  await parley.disconnect()
  server.isSilent = false
  await connect()
  await early
  server.isSilent = true
  const kept = parley.channel('room').send('kept')
  await clock.advance(0)
  t.same(texts(), ['kept'])
  await parley.disconnect()
  t.same(texts(), ['kept'])
  t.same(outbox(parley), ['kept queued'])
  server.isSilent = false
  await connect()
  await kept
  t.same(texts(), [])
  t.equal(clock.pending > 0, true)
  await parley.disconnect()
  t.equal(clock.pending, 0)
})

t.test('[C4] a message that was refused for good is shown as failed after a reload, and sent again only when somebody says so', async t => {
  const { tab, inherit, texts } = createShared()
  const first = openPage(t, tab())
  await first.connect()
  const { send_message: take } = first.answers
  first.answers.send_message = (frame, socket) => socket.refuse(frame, 'message_too_long')
  await t.rejects(first.parley.channel('room').send('long', { clientId: 'long' }), { code: 'message_too_long' })
  await first.clock.advance(0)
  inherit('me', 1, 2)
  const second = openPage(t, tab())
  const channel = second.parley.channel('room')
  channel.open()
  await second.connect()
  t.match(channel.getSnapshot().outbox, [{ text: 'long', state: 'failed', error: { code: 'message_too_long' } }])
  t.same(sent(second), [])
  t.ok(take)
  await channel.resend('long')
  t.same(sent(second), ['long'])
  t.same(texts(), [])
})

t.test('[C4] a storage that is blocked or full leaves messages in memory, and says so once; nothing of a guest is kept', async t => {
  for (const fault of ['isBlocked', 'isFull'] as const) {
    const { tab, state } = createShared()
    state[fault] = true
    const scene = openPage(t, tab())
    scene.parley.channel('room').open()
    await scene.connect()
    await scene.parley.channel('room').send('one')
    await scene.parley.channel('room').send('two')
    await scene.clock.advance(0)
    t.same(sent(scene), ['one', 'two'])
    t.equal(scene.log.filter(({ type }) => type === 'fault').length, 1, fault)
  }
  const hanging = openPage(t, { ...createShared().tab(), take: () => new Promise(() => {}) })
  hanging.parley.channel('room').open()
  await hanging.connect()
  const late = hanging.parley.channel('room').send('patient')
  await hanging.clock.advance(2999)
  t.same(sent(hanging), [])
  await hanging.clock.advance(1)
  await late

  const { tab, texts } = createShared()
  const guest = createScene(t, { token: () => null, outbox: { storage: tab() } })
  await guest.connect()
  guest.server.isSilent = true
  guest.parley.channel('room').send('by a guest')
  await guest.clock.advance(0)
  t.same(texts(), [])
})

t.test('[C4] where there is no IndexedDB, messages stay in memory and the log says so', async t => {
  const scene = createScene(t, { outbox: { storage: 'indexeddb' } })
  await scene.connect()
  t.match(scene.log.filter(({ type }) => type === 'fault'), { length: 1 })
  t.equal(scene.parley.getSnapshot().state, 'online')
})
