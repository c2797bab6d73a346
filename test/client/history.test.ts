import { t } from '../tap.ts'
import { isTrue, opened, withRest } from './room.ts'
import { createScene, type Scene } from './scripted.ts'

t.test('[C1] messages, edits and deletions are shown as history has them, in the order of seq, each once', async t => {
  const { scene, channel } = await opened(t, 3)
  const one = scene.text('one', { data: { a: 1 } })
  isTrue(t, channel, scene)
  scene.publish({ type: 'message_edited', id: one.id, message: 'ONE' })
  isTrue(t, channel, scene)
  const two = scene.text('two')
  scene.socket.say(two)
  scene.socket.say(one)
  scene.publish({ type: 'message_deleted', id: two.id })
  scene.publish({ type: 'message_edited', id: 'unknown', message: 'of a message that is not shown' })
  isTrue(t, channel, scene)
  t.match(channel.getSnapshot().messages.at(-2), { message: 'ONE', edited_at: String })
  t.match(channel.getSnapshot().messages.at(-1), { message: null, deleted: true })
})

t.test('[C1] an edit keeps, replaces or removes the data, as the frame says', async t => {
  const { scene, channel } = await opened(t)
  const { id } = scene.text('one', { data: 1 })
  const last = () => channel.getSnapshot().messages.at(-1)!
  scene.publish({ type: 'message_edited', id, message: 'x', data: 2 })
  t.equal(last().data, 2)
  scene.publish({ type: 'message_edited', id, message: 'y', data: null })
  t.notOk('data' in last())
  scene.publish({ type: 'message_deleted', id })
  t.notOk('data' in last())
})

t.test('[C1] reactions are counted by user, an edit keeps them, and a deletion ends them', async t => {
  const { scene, channel } = await opened(t)
  const { id } = scene.text('one')
  const last = () => channel.getSnapshot().messages.at(-1)!
  const react = (reaction: string, userId: string, type = 'reaction_added') =>
    scene.publish({ type, id, reaction, user_id: userId, username: userId, handle: userId })
  react('👍', 'ann')
  react('🎉', 'ann')
  react('👍', 'carl')
  t.same(last().reactions, [{ reaction: '👍', count: 2, user_ids: ['ann', 'carl'] }, { reaction: '🎉', count: 1, user_ids: ['ann'] }])
  react('🎉', 'ann', 'reaction_removed')
  scene.publish({ type: 'message_edited', id, message: 'x' })
  t.same(last().reactions, [{ reaction: '👍', count: 2, user_ids: ['ann', 'carl'] }])
  react('👍', 'ann', 'reaction_removed')
  react('👍', 'carl', 'reaction_removed')
  t.notOk('reactions' in last())
  react('👍', 'ann')
  scene.publish({ type: 'message_deleted', id })
  t.notOk('reactions' in last())
})

t.test('[C1] reactions that a message of a join has already are not counted again', async t => {
  const { scene, channel } = await opened(t)
  const reactions = [{ reaction: '👍', count: 1, user_ids: ['ann'] }]
  const { id, seq } = scene.text('one', { reactions, reactions_seq: 2 })
  const react = (userId: string) =>
    scene.publish({ type: 'reaction_added', id, reaction: '👍', user_id: userId, username: userId, handle: userId })
  t.equal(seq, 1)
  react('ann')
  t.same(channel.getSnapshot().messages.at(-1)!.reactions, reactions)
  react('carl')
  t.match(channel.getSnapshot().messages.at(-1)!.reactions, [{ count: 2, user_ids: ['ann', 'carl'] }])
})

t.test('[C1] the window has at most 1000 messages: the oldest leave it, a few at once', async t => {
  const { scene, channel } = await opened(t)
  for (let i = 0; i < 1000; i++) scene.text(`${i}`)
  t.match(channel.getSnapshot(), { hasOlder: false, messages: { length: 1000 } })
  const lengths = [1, 2, 3, 4, 5].map(i => {
    scene.text(`${i}`)
    return channel.getSnapshot().messages.length
  })
  t.same(lengths, [997, 998, 999, 1000, 997])
  t.match(channel.getSnapshot(), { hasOlder: true })
  isTrue(t, channel, scene)
})

t.test('[C1] the option `window` says how many messages a channel shows', async t => {
  const { scene, channel } = await opened(t, 150, 100, 120)
  t.equal(await channel.older(100), 20)
  scene.text('one more')
  t.match(channel.getSnapshot(), { hasOlder: true, messages: { length: 120, 0: { seq: 32 } } })
  await channel.around('m1')
  t.match(channel.getSnapshot(), { messages: { length: 120 }, gap: { after: 100, before: 132 } })
  isTrue(t, channel, scene)
})

t.test('[C1] older() finds the beginning of the history also where the window is full', async t => {
  const { channel } = await opened(t, 120, 100, 120)
  t.equal(await channel.older(100), 20)
  t.equal(await channel.older(100), 0)
  t.match(channel.getSnapshot(), { hasOlder: false, messages: { length: 120, 0: { seq: 1 } } })

  const { channel: longer } = await opened(t, 121, 100, 120)
  t.equal(await longer.older(100), 20)
  t.equal(await longer.older(100), 0)
  t.match(longer.getSnapshot(), { hasOlder: true, messages: { length: 120, 0: { seq: 2 } } })
})

t.test('[C1] the window of all channels is an option of the client, and each channel may have its own', async t => {
  const scene = createScene(t, { channels: { window: 10, history: 5 } })
  for (let i = 0; i < 30; i++) scene.text(`${i}`, {}, false)
  const [room, hall] = [scene.parley.channel('room'), scene.parley.channel('hall', { history: 20 })]
  room.open()
  hall.open()
  await scene.connect()
  t.same(scene.socket.asked('join_channel').map(({ channel, history }) => [channel, history]), [['room', 5], ['hall', 20]])
  for (let i = 0; i < 10; i++) scene.text(`${i}`)
  t.equal(room.getSnapshot().messages.length, 10)
})

t.test('[C2] the state changes in the turn in which a frame is read: a message right behind the reply to the join is shown', async t => {
  const { scene, channel } = await opened(t, 2)
  const { answers, socket } = scene
  const { join_channel: join } = answers
  answers.join_channel = (frame, socket) => {
    join!(frame, socket)
    scene.text('at once')
    scene.text('and again')
  }
  socket.end()
  await scene.clock.advance(1000)
  isTrue(t, channel, scene)
  t.match(channel.getSnapshot().messages.at(-1), { message: 'and again' })
  const seen: number[] = []
  channel.subscribe(() => seen.push(channel.getSnapshot().messages.length))
  scene.text('read')
  t.same(seen, [5])
})

t.test('[C2] snapshots are immutable, and the same object until something changes', async t => {
  const { scene, channel } = await opened(t, 3)
  const before = channel.getSnapshot()
  t.equal(channel.getSnapshot(), before)
  const copy = JSON.stringify(before)
  scene.text('more')
  scene.publish({ type: 'message_deleted', id: 'm1' })
  t.equal(JSON.stringify(before), copy)
  t.not(channel.getSnapshot(), before)
  const { messages, outbox } = channel.getSnapshot()
  const bob = { user_id: 'bob', username: 'Bob' }
  scene.socket.say({ type: 'signal', channel: 'room', event: 'typing', ...bob, data: { typing: true }, timestamp: '' })
  t.equal(channel.getSnapshot().messages, messages, 'typing leaves the messages as they are')
  t.equal(channel.getSnapshot().outbox, outbox)
})

t.test('[C1] an entry that is missing in the stream is asked for, and nothing is shown out of order', async t => {
  const { scene, channel } = await opened(t, 2)
  scene.text('lost', {}, false)
  scene.text('shown too early')
  t.match(channel.getSnapshot(), { state: 'resuming', messages: { length: 2 } })
  await scene.clock.advance(0)
  t.equal(channel.getSnapshot().state, 'live')
  isTrue(t, channel, scene)
})

t.test('[C1] older() loads pages up to the beginning; calls at once are one; an edit during the read is applied', async t => {
  const { scene, channel, calls } = await opened(t, 170)
  t.equal(channel.getSnapshot().hasOlder, true)
  const both = [channel.older(), channel.older()]
  scene.publish({ type: 'message_edited', id: 'm100', message: 'edited while it was read' })
  scene.publish({ type: 'message_deleted', id: 'm101' })
  t.same(await Promise.all(both), [50, 50])
  t.same(calls, ['/api/channels/room/messages?before=121&limit=50'])
  isTrue(t, channel, scene)
  t.equal(await channel.older(100), 70)
  t.equal(channel.getSnapshot().hasOlder, false)
  isTrue(t, channel, scene)
})

t.test('[C1] a page that was read before an edit does not undo it', async t => {
  const scene: Scene = createScene(t, {
    async fetch (input) {
      const answer = await withRest(() => scene)(input)
      // The page was read before the edit, and its answer comes after it.
      scene.publish({ type: 'message_edited', id: 'm5', message: 'later' })
      scene.publish({ type: 'message_deleted', id: 'm6' })
      return answer
    }
  })
  for (let i = 0; i < 60; i++) scene.text(`${i}`, {}, false)
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  await channel.older()
  isTrue(t, channel, scene)
})

t.test('[C1] a page that was asked for before a loss of the connection is not put into the window that began anew', async t => {
  const scene: Scene = createScene(t, {
    async fetch (input) {
      const answer = await withRest(() => scene)(input)
      scene.socket.end()
      for (let i = 0; i < 2000; i++) scene.text(`${i}`, {}, false)
      await scene.clock.advance(1000)
      return answer
    }
  })
  for (let i = 0; i < 100; i++) scene.text(`${i}`, {}, false)
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  t.equal(await channel.older(), 0)
  isTrue(t, channel, scene)
})

t.test('[C1] around() shows a message far above with a gap below it, which older() fills; near ones need none', async t => {
  const { scene, channel } = await opened(t, 2000)
  await channel.around('m1000')
  t.match(channel.getSnapshot(), { gap: { after: 1049, before: 1951 }, messages: { length: 150 } })
  isTrue(t, channel, scene)
  scene.publish({ type: 'message_edited', id: 'm1000', message: 'edited' })
  scene.text('live')
  isTrue(t, channel, scene)
  await channel.around('m1900')
  t.match(channel.getSnapshot(), { gap: { after: 1949, before: 1951 }, messages: { length: 151 } })
  await channel.older(100)
  t.notOk(channel.getSnapshot().gap)
  isTrue(t, channel, scene)
  await channel.around('m1990')
  await channel.around('m1820')
  t.notOk(channel.getSnapshot().gap, 'the page touches the window')
  isTrue(t, channel, scene)
  await channel.around('m1')
  t.match(channel.getSnapshot(), { hasOlder: false, messages: { 0: { seq: 1 } } })
  isTrue(t, channel, scene)
})

t.test('[C1] newer() fills a gap from its lower end, and older() loads above the first message beside a gap', async t => {
  const { scene, channel } = await opened(t, 2000)
  t.equal(await channel.newer(), 0, 'there is no gap')
  await channel.around('m1500')
  t.match(channel.getSnapshot().gap, { after: 1549, before: 1951 })
  t.equal(await channel.newer(), 50)
  t.equal(await channel.older(20, 'start'), 20)
  t.match(channel.getSnapshot(), { gap: { after: 1599, before: 1951 }, messages: { 0: { seq: 1430 } } })
  isTrue(t, channel, scene)
  for (let i = 0; i < 4; i++) await channel.newer(100)
  t.notOk(channel.getSnapshot().gap)
  t.match(channel.getSnapshot(), { hasOlder: true, messages: { length: 571 } })
  isTrue(t, channel, scene)
})

t.test('[C1] around() goes on where older() finds the window full', async t => {
  const { scene, channel } = await opened(t, 2000, 100)
  let added
  do added = await channel.older(100)
  while (added > 0)
  const { messages, gap } = channel.getSnapshot()
  t.equal(messages.length, 1000)
  t.notOk(gap)
  await channel.around('m1001')
  t.equal(channel.getSnapshot().messages.length, 1000)
  await channel.around('m1000')
  t.equal(channel.getSnapshot().messages[0]!.seq, 950)
  t.match(channel.getSnapshot(), { messages: { length: 1000 }, gap: { after: 1049, before: 1101 } })
  isTrue(t, channel, scene)
})

t.test('[C1] a page may be ahead of the stream, which then does not undo a later edit', async t => {
  const scene: Scene = createScene(t, {
    async fetch (input) {
      // Between two frames of the stream, the server stores more. The page has all of it.
      const edit = scene.publish({ type: 'message_edited', id: 'm5', message: 'first edit' }, false)
      await scene.clock.advance(1000)
      const later = scene.publish({ type: 'message_edited', id: 'm5', message: 'second edit' }, false)
      const last = scene.text('last', {}, false)
      const answer = await withRest(() => scene)(input)
      scene.socket.say(edit)
      pending.push(later, last)
      return answer
    }
  })
  const pending: object[] = []
  for (let i = 0; i < 60; i++) scene.text(`${i}`, {}, false)
  const channel = scene.parley.channel('room')
  channel.open()
  await scene.connect()
  await channel.older()
  t.equal(channel.getSnapshot().messages.find(({ id }) => id === 'm5')?.message, 'second edit')
  for (const frame of pending) scene.socket.say(frame)
  isTrue(t, channel, scene)
})

t.test('[C1] around() the newest message shows nothing that the stream has not brought', async t => {
  const { scene, channel } = await opened(t, 300)
  const last = scene.text('not brought yet', {}, false)
  await channel.around(last.id)
  t.notOk(channel.getSnapshot().messages.some(({ id }) => id === last.id))
  scene.socket.say(last)
  isTrue(t, channel, scene)
})
