import { t } from '../tap.ts'
import { isTrue, opened } from './room.ts'

t.test('[C8] a resume brings what was missed, edits and deletions too, and says where the client stands', async t => {
  const { scene, channel } = await opened(t, 3)
  scene.socket.end()
  t.equal(channel.getSnapshot().state, 'resuming')
  scene.text('missed', {}, false)
  scene.publish({ type: 'message_edited', id: 'm2', message: 'edited meanwhile' }, false)
  scene.publish({ type: 'message_deleted', id: 'm1' }, false)
  await scene.clock.advance(1000)
  t.match(scene.socket.asked('join_channel'), [{ since: 3, since_id: 'm3', channel_id: 'room-1', history: undefined }])
  t.equal(channel.getSnapshot().state, 'live')
  isTrue(t, channel, scene)
})

t.test('[C8] a channel without entries is resumed from 0', async t => {
  const { scene, channel } = await opened(t)
  scene.socket.end()
  scene.text('the first', {}, false)
  await scene.clock.advance(1000)
  t.match(scene.socket.asked('join_channel'), [{ since: 0, since_id: null, channel_id: 'room-1' }])
  isTrue(t, channel, scene)
})

t.test('[C8] where the resume is refused, the newest page is shown, the hole is told, and older() fills it', async t => {
  const { scene, channel } = await opened(t, 10)
  scene.socket.end()
  for (let i = 0; i < 1200; i++) scene.text(`missed ${i}`, {}, false)
  scene.publish({ type: 'message_edited', id: 'm5', message: 'edited where nobody saw it' }, false)
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { state: 'live', gap: { after: 10, before: 1161 }, hasOlder: true, messages: { length: 50 } })
  isTrue(t, channel, scene)
  scene.text('live')
  isTrue(t, channel, scene)
  t.equal(await channel.older(100), 100)
  t.match(channel.getSnapshot().gap, { after: 10, before: 1061 })
  isTrue(t, channel, scene)
  let added
  do added = await channel.older(100)
  while (added > 0)
  t.equal(channel.getSnapshot().messages.length, 1000)
  t.match(channel.getSnapshot().gap, { after: 10 }, 'the window is full, and the hole is still told')
  isTrue(t, channel, scene)
})

t.test('[C8] a hole that older() has filled is gone', async t => {
  const { scene, channel } = await opened(t, 10)
  scene.room.resumeLimit = 100
  scene.socket.end()
  for (let i = 0; i < 150; i++) scene.text(`missed ${i}`, {}, false)
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot().gap, { after: 10, before: 111 })
  await channel.older(100)
  t.notOk(channel.getSnapshot().gap)
  t.equal(channel.getSnapshot().messages[0]!.seq, 11)
  t.equal(channel.getSnapshot().hasOlder, true)
  t.equal(await channel.older(100), 10)
  t.equal(channel.getSnapshot().hasOlder, false)
  isTrue(t, channel, scene)
})

t.test('[C8] a channel that was deleted and made anew, or restored to an earlier moment, is shown anew', async t => {
  const { scene, channel } = await opened(t, 10)
  scene.socket.end()
  scene.room.id = 'room-2'
  scene.room.entries = []
  scene.text('a new beginning', {}, false)
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { messages: [{ message: 'a new beginning' }], hasOlder: false })
  t.notOk(channel.getSnapshot().gap)

  scene.text('two')
  scene.text('three')
  scene.socket.end()
  scene.room.entries.splice(1)
  scene.text('another two', { id: 'other' }, false)
  await scene.clock.advance(10_000)
  t.same(channel.getSnapshot().messages.map(({ message }) => message), ['a new beginning', 'another two'])
})

t.test('[C8] the page of another channel of the same name has no hole below it that could be filled', async t => {
  const { scene, channel } = await opened(t, 10)
  scene.socket.end()
  scene.room.id = 'room-2'
  for (let i = 0; i < 100; i++) scene.text(`${i}`, {}, false)
  await scene.clock.advance(1000)
  t.match(channel.getSnapshot(), { messages: { length: 50 }, hasOlder: true })
  t.notOk(channel.getSnapshot().gap)
})

t.test('[C8] a resume that lacks an entry is taken for refused', async t => {
  const { scene, channel } = await opened(t, 10)
  const { join_channel: join } = scene.answers
  scene.answers.join_channel = (frame, socket) => {
    const say = socket.say.bind(socket)
    if (frame.since !== undefined) {
      socket.say = reply => {
        socket.say = say
        const { data } = reply as { data: { messages: object[] } }
        data.messages.splice(1, 1)
        say(reply)
      }
    }
    join!(frame, socket)
  }
  scene.socket.end()
  for (let i = 0; i < 3; i++) scene.text(`${i}`, {}, false)
  await scene.clock.advance(1000)
  t.equal(channel.getSnapshot().state, 'live')
  isTrue(t, channel, scene)
})

t.test('[C8] a hole is no longer told when the window has moved beyond it', async t => {
  const { scene, channel } = await opened(t, 2000)
  await channel.around('m1000')
  t.ok(channel.getSnapshot().gap)
  for (let i = 0; i < 1000; i++) scene.text(`${i}`)
  t.notOk(channel.getSnapshot().gap)
  isTrue(t, channel, scene)
})

t.test('[C12] entries of types that the client does not know count in the sequence, live and in a resume; other frames do not', async t => {
  const { scene, channel } = await opened(t, 3)
  scene.publish({ type: 'tag_added', tag: 'x', id: 'm1' })
  scene.text('live')
  t.match(channel.getSnapshot(), { state: 'live', messages: { length: 4 } })
  scene.socket.say({ type: 'read_marker', channel: 'room', seq: 6 })
  scene.socket.say({ type: 'tag_removed', channel: 'room', seq: 99, id: 'm1', user_id: 'bob', timestamp: '' })
  scene.text('not taken for a repeat')
  t.match(channel.getSnapshot(), { state: 'live', messages: { length: 5 } })
  scene.socket.end()
  scene.publish({ type: 'tag_added', tag: 'x', id: 'm1' }, false)
  scene.text('missed', {}, false)
  await scene.clock.advance(1000)
  const texts = channel.getSnapshot().messages.map(({ message }) => message)
  t.same(texts, ['old 0', 'old 1', 'old 2', 'live', 'not taken for a repeat', 'missed'])
  t.equal(scene.socket.asked('join_channel').length, 1)
})
