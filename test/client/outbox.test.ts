import type { Channel } from '@parley/client'
import type { Frame } from '../client.ts'
import { t, type Test } from '../tap.ts'
import { createScene, iso, me, type ScriptedSocket } from './scripted.ts'

/** A scene whose server stores what it is sent: at once, or when the test says so. */
async function opened (t: Test, options: Parameters<typeof createScene>[1] = {}) {
  const scene = createScene(t, options)
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  scene.answers.send_message = (frame, socket) => acknowledge(frame, socket, store(frame))

  /** Stores a message, once for each `client_id`. */
  function store ({ client_id: clientId, message, data, reply_to: replyTo }: Frame, isHeard = false): Frame {
    return scene.room.entries.find(entry => entry.client_id === clientId) ?? scene.text(message, {
      ...me, client_id: clientId, ...data !== undefined && { data }, ...replyTo !== undefined && { reply_to: replyTo }
    }, isHeard)
  }

  /** The reply comes before the message's own frame, as the server sends them. */
  function acknowledge (frame: Frame, socket: ScriptedSocket, entry: Frame): void {
    const { id, seq } = entry
    socket.reply(frame, 'message_sent', { channel: 'room', id, seq, timestamp: iso(0), client_id: frame.client_id })
    socket.say(entry)
  }

  return { scene, channel, store, acknowledge, stored: () => scene.history().map(({ message }) => message) }
}

const states = (channel: Channel) => channel.getSnapshot().outbox.map(({ text, state }) => `${text} ${state}`)

t.test('[C3] a message shows in the outbox at once, resolves when it is stored, and is never in neither of both lists', async t => {
  const { scene, channel } = await opened(t)
  const counts = new Set<number>()
  channel.subscribe(() => counts.add(channel.getSnapshot().outbox.length + channel.getSnapshot().messages.length))
  const sent = channel.send('hello', { data: { a: [1] }, replyTo: 'm0', clientId: 'mine' })
  t.match(channel.getSnapshot().outbox, [{ clientId: 'mine', text: 'hello', data: { a: [1] }, replyTo: 'm0', state: 'sent' }])
  t.match(await sent, { channel: 'room', id: 'm1', seq: 1, client_id: 'mine' })
  t.match(scene.socket.asked('send_message'), [{ channel: 'room', message: 'hello', client_id: 'mine', data: { a: [1] }, reply_to: 'm0' }])
  t.match(channel.getSnapshot(), { outbox: { length: 0 }, messages: [{ message: 'hello', client_id: 'mine' }] })
  t.same([...counts], [1])
})

t.test('[C3] what is sent without a connection waits for one, in order; a channel that nobody has opened is left afterwards', async t => {
  const scene = createScene(t)
  scene.answers.send_message = (frame, socket) => {
    const entry = scene.text(frame.message, { ...me, client_id: frame.client_id }, false)
    socket.reply(frame, 'message_sent', { channel: 'room', id: entry.id, seq: entry.seq, timestamp: '', client_id: frame.client_id })
    socket.say(entry)
  }
  const channel = scene.parley.channel('room')
  const all = Promise.all(['one', 'two', 'three'].map(text => channel.send(text)))
  t.same(states(channel), ['one queued', 'two queued', 'three queued'])
  await scene.connect()
  t.match(await all, [{ seq: 1 }, { seq: 2 }, { seq: 3 }])
  await scene.clock.advance(0)
  t.equal(scene.socket.asked('unsubscribe_channel').length, 1)
  t.equal(channel.getSnapshot().state, 'idle')
})

t.test('[C3] the outbox of the client has the messages of all channels that are not stored, and tells of each change', async t => {
  const { scene, channel } = await opened(t)
  const { parley } = scene
  const told: string[] = []
  const shown = (): string => parley.outbox.getSnapshot().map(({ channel, text, state }) => `${channel} ${text} ${state}`).join()
  parley.outbox.subscribe(() => told.push(shown()))
  scene.answers.send_message = (frame, socket) => socket.refuse(frame, 'not_authorized')
  await t.rejects(channel.send('one'), { code: 'not_authorized' })
  parley.channel('other').send('two')
  t.equal(told.at(-1), 'room one failed,other two queued')
  t.equal(parley.outbox.getSnapshot(), parley.outbox.getSnapshot(), 'the snapshot stays the same until something changes')
  channel.discard(parley.outbox.getSnapshot()[0]!.clientId)
  t.equal(told.at(-1), 'other two queued')
})

t.test('[C3] sends of one channel are stored in the order in which they were made, retries included', async t => {
  const { scene, channel, stored } = await opened(t)
  const { send_message: take } = scene.answers
  let refusals = 0
  scene.answers.send_message = (frame, socket) => {
    if (frame.message === 'two' && refusals++ < 2) socket.refuse(frame, 'rate_limited', { retry_after_ms: 4000 })
    else take!(frame, socket)
  }
  const all = ['one', 'two', 'three', 'four'].map(text => channel.send(text))
  await scene.clock.advance(3999)
  t.same(stored(), ['one'])
  t.same(states(channel), ['two queued', 'three queued', 'four queued'])
  await scene.clock.advance(4001)
  t.same(stored(), ['one', 'two', 'three', 'four'])
  await Promise.all(all)
  t.same(channel.getSnapshot().outbox, [])
})

t.test('[C3] a message whose reply was lost is settled by its own frame in the resume, and not sent again', async t => {
  const { scene, channel, store, stored } = await opened(t)
  scene.answers.send_message = (frame, socket) => {
    store(frame)
    socket.end()
  }
  const sent = channel.send('stored')
  await scene.clock.advance(0)
  t.same(states(channel), ['stored queued'])
  await scene.clock.advance(1000)
  t.match(await sent, { id: 'm1', seq: 1 })
  t.equal(scene.socket.asked('send_message').length, 0)
  t.same(stored(), ['stored'])
  t.match(channel.getSnapshot(), { outbox: { length: 0 }, messages: [{ message: 'stored' }] })
})

t.test('[C3] a message that did not arrive is sent again with the same client_id, before all later ones', async t => {
  const { scene, channel, stored } = await opened(t)
  const { send_message: take } = scene.answers
  scene.answers.send_message = (_, socket) => socket.end()
  const sent = channel.send('lost')
  const later = channel.send('later')
  await scene.clock.advance(0)
  const [first] = scene.socket.asked('send_message')
  scene.answers.send_message = take!
  await scene.clock.advance(1000)
  t.equal(scene.socket.asked('send_message')[0]!.client_id, first!.client_id)
  await Promise.all([sent, later])
  t.same(stored(), ['lost', 'later'])
})

t.test('[C3] a message that is stored while the resume is refused is settled by the newest page, or as a duplicate', async t => {
  for (const page of ['has it', 'lacks it']) {
    const { scene, channel, store } = await opened(t)
    scene.room.resumeLimit = 0
    scene.text('before')
    const { send_message: take } = scene.answers
    scene.answers.send_message = (frame, socket) => {
      store(frame)
      if (page === 'lacks it') for (let i = 0; i < 100; i++) scene.text(`${i}`, {}, false)
      socket.end()
    }
    const sent = channel.send('stored')
    await scene.clock.advance(0)
    scene.answers.send_message = take!
    await scene.clock.advance(1000)
    t.match(await sent, { id: 'm2', seq: 2 })
    t.equal(scene.socket.asked('send_message').length, page === 'has it' ? 0 : 1)
    t.same(channel.getSnapshot().outbox, [])
    t.equal(scene.history().filter(({ message }) => message === 'stored').length, 1)
  }
})

t.test('[C3] a message whose reply has come, and whose frame is lost in a hole, leaves the outbox', async t => {
  const { scene, channel, store } = await opened(t)
  scene.room.resumeLimit = 0
  scene.answers.send_message = (frame, socket) => {
    const { id, seq } = store(frame)
    socket.reply(frame, 'message_sent', { channel: 'room', id, seq, timestamp: '' })
    for (let i = 0; i < 100; i++) scene.text(`${i}`, {}, false)
    socket.end()
  }
  await channel.send('stored')
  t.same(states(channel), ['stored sent'])
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { state: 'live', outbox: { length: 0 } })
})

t.test('[C3] a refused message has failed: it is kept for resend, which sends it as the last one, and discard drops it', async t => {
  const { scene, channel, stored } = await opened(t)
  const { send_message: take } = scene.answers
  scene.answers.send_message = (frame, socket) => {
    if (frame.message === 'hush') socket.refuse(frame, 'muted', { retry_after_ms: 60_000 })
    else take!(frame, socket)
  }
  await t.rejects(channel.send('hush', { clientId: 'kept' }), { code: 'muted', again: true, retryAfterMs: 60_000 })
  await channel.send('next')
  t.match(channel.getSnapshot().outbox, [{ clientId: 'kept', state: 'failed', error: { code: 'muted' } }])
  await t.rejects(channel.resend('kept'), { code: 'muted' })
  scene.answers.send_message = take!
  const all = [channel.send('sent meanwhile'), channel.send('waiting'), channel.resend('kept')]
  t.match(await Promise.all(all), [{ seq: 2 }, { seq: 3 }, { seq: 4 }])
  t.same(stored(), ['next', 'sent meanwhile', 'waiting', 'hush'])
  t.same(channel.getSnapshot().outbox, [])
  await t.rejects(channel.resend('kept'), { code: 'message_not_found' })

  scene.answers.send_message = (frame, socket) => socket.refuse(frame, 'message_too_long')
  await t.rejects(channel.send('x', { clientId: 'other' }), { code: 'message_too_long', again: false })
  channel.discard('other')
  t.same(channel.getSnapshot().outbox, [])
})

t.test('[C3] a message can be taken back until it has been sent', async t => {
  const { scene, channel } = await opened(t)
  delete scene.answers.send_message
  const stop = new AbortController()
  const first = channel.send('first', { signal: stop.signal })
  const second = t.rejects(channel.send('second', { signal: stop.signal }), { code: 'aborted' })
  const third = t.rejects(channel.send('third', { clientId: 'third' }), { code: 'aborted' })
  stop.abort()
  channel.discard('third')
  await Promise.all([second, third])
  t.same(states(channel), ['first sent'])
  channel.discard(channel.getSnapshot().outbox[0]!.clientId)
  t.same(states(channel), ['first sent'], 'the server may have it')
  const [frame] = scene.socket.asked('send_message')
  scene.socket.reply(frame!, 'message_sent', { channel: 'room', id: 'm1', seq: 1, timestamp: '' })
  t.match(await first, { seq: 1 })

  const again = new AbortController()
  channel.send('maybe stored', { signal: again.signal })
  scene.socket.end()
  again.abort()
  t.same(states(channel), ['first sent', 'maybe stored queued'], 'the server may have it')
})

t.test('[C4] the outbox is bounded in messages and bytes, in all channels together, and stored messages leave room', async t => {
  const { scene, channel } = await opened(t, { outbox: { messages: 3, bytes: 1000 } })
  const { send_message: take } = scene.answers
  delete scene.answers.send_message
  const other = scene.parley.channel('other')
  const sent = [channel.send('one'), channel.send('two')]
  other.send('three').catch(() => {})
  await t.rejects(channel.send('four'), { code: 'outbox_full', again: true })
  scene.answers.send_message = take!
  for (const frame of scene.socket.asked('send_message')) take!(frame, scene.socket)
  await Promise.all(sent)
  await t.rejects(channel.send('x'.repeat(1000)), { code: 'outbox_full' })
  for (let i = 0; i < 20; i++) await channel.send('x'.repeat(100))
})

t.test('[C4] a message that no frame may carry fails without ending the connection', async t => {
  const { scene, channel } = await opened(t)
  await t.rejects(channel.send('€'.repeat(30_000)), { code: 'message_too_long' })
  t.equal(scene.parley.getSnapshot().state, 'online')
  await channel.send('short')
  t.match(channel.getSnapshot().outbox, [{ state: 'failed' }])
})

t.test('[C10] nobody has to handle the failure of a message', async t => {
  const unhandled: unknown[] = []
  const note = (reason: unknown): void => { unhandled.push(reason) }
  process.on('unhandledRejection', note)
  const { scene, channel } = await opened(t, { outbox: { messages: 2 } })
  scene.answers.send_message = (frame, socket) => socket.refuse(frame, 'muted')
  channel.send('one', { clientId: 'one', signal: new AbortController().signal })
  channel.send('two')
  channel.send('three')
  channel.resend('unknown')
  await scene.clock.advance(0)
  channel.resend('one')
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', note)
  t.same(unhandled, [])
})

t.test('[C4] another user neither sees nor sends what the earlier one has left', async t => {
  const { scene, channel } = await opened(t)
  scene.text('seen by Ann')
  delete scene.answers.send_message
  const lost = t.rejects(channel.send('of Ann'), { code: 'not_authenticated' })
  scene.server.user = { ...scene.server.user, user_id: 'bob', username: 'Bob' }
  scene.room.entries = []
  scene.room.id = 'as Bob sees it'
  scene.socket.end()
  await scene.clock.advance(1000)
  await lost
  t.match(channel.getSnapshot(), { state: 'live', outbox: { length: 0 }, messages: { length: 0 } })
  t.equal(scene.socket.asked('send_message').length, 0)
})

t.test('[C4] a guest that is another one after a reconnect does not send again what may be stored already', async t => {
  const { scene, channel, store } = await opened(t, { token: () => null })
  const { send_message: take } = scene.answers
  scene.answers.send_message = (frame, socket) => {
    store(frame)
    socket.end()
  }
  const outcomes = Promise.allSettled([channel.send('maybe stored'), channel.send('not sent yet')])
  await scene.clock.advance(0)
  scene.answers.send_message = take!
  scene.server.user = { ...scene.server.user, user_id: 'guest-2' }
  await scene.clock.advance(1000)
  t.equal(scene.history().filter(({ message }) => message === 'maybe stored').length, 1)
  t.same(channel.getSnapshot().outbox, [], 'its own frame has settled it')
  t.match(await outcomes, [{ status: 'rejected', reason: { code: 'offline' } }, { status: 'fulfilled' }])
})
