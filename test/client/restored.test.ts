import { t } from '../tap.ts'
import { isTrue, opened } from './room.ts'

t.test('[C8] G18: after a restore another edit of the same message in the same place is not taken for the one that was shown', async t => {
  const { scene, channel } = await opened(t, 3)
  scene.publish({ type: 'message_edited', id: 'm2', message: 'before the restore' })
  scene.socket.end()
  scene.text('missed', {}, false)
  await scene.clock.advance(1000)
  t.match(scene.socket.asked('join_channel'), [{ since: 3, since_id: undefined, channel_id: 'room-1' }], 'the edit is asked for once more')
  isTrue(t, channel, scene)

  for (const kind of ['message_edited', 'message_deleted']) {
    scene.publish({ type: kind, id: 'm3', message: 'before the restore' })
    scene.socket.end()
    scene.room.entries.pop()
    scene.publish({ type: 'message_edited', id: 'm3', message: 'after the restore' }, false)
    await scene.clock.advance(5000)
    t.match(channel.getSnapshot(), { state: 'live', messages: { length: 4 } })
    isTrue(t, channel, scene)
  }

  scene.socket.end()
  scene.room.entries.pop()
  await scene.clock.advance(10_000)
  isTrue(t, channel, scene)
})

t.test('[C3] G18: a message that was acked, and is gone with a restore before its frame came, leaves the outbox', async t => {
  const { scene, channel } = await opened(t, 3)
  scene.answers.send_message = (frame, socket) =>
    socket.reply(frame, 'message_sent', { channel: 'room', id: 'gone', seq: 4, timestamp: '', client_id: frame.client_id })
  t.match(await channel.send('gone'), { seq: 4 })
  t.match(channel.getSnapshot().outbox, [{ text: 'gone', state: 'sent' }])
  scene.socket.end()
  await scene.clock.advance(1000)
  t.equal(channel.getSnapshot().state, 'live')
  t.same(channel.getSnapshot().outbox, [])
  isTrue(t, channel, scene)
})

t.test('[C1] G18: older messages that are read before the channel is resumed are not put beside those of another history', async t => {
  const { scene, channel } = await opened(t, 100)
  scene.socket.end()
  scene.room.entries.splice(0)
  for (let i = 0; i < 100; i++) scene.text(`restored ${i}`, { id: `restored-${i}` }, false)
  t.equal(await channel.older(), 0)
  t.equal(channel.getSnapshot().messages.length, 50)
  await scene.clock.advance(1000)
  isTrue(t, channel, scene)
  t.equal(await channel.older(), 50)
  isTrue(t, channel, scene)
})
