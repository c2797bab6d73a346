import type { EntriesEvent, NoticeEvent } from '../../src/broker/broker.ts'
import { LocalChannel } from '../../src/connections/channel.ts'
import { createTraffic } from '../../src/connections/traffic.ts'
import { t, type Test } from '../tap.ts'

/** Entries whose frames are one byte each, the digit of their `seq`. */
function run (from: number, to = from): EntriesEvent {
  const count = to - from + 1
  const ends = Array.from({ length: count }, (_, i) => i + 1)
  return { kind: 'entries', firstSeq: from, frames: Buffer.from(ends.map(i => 47 + from + i)), ends }
}

const notice = (text: string, except?: string): NoticeEvent =>
  ({ kind: 'notice', frame: Buffer.from([0x81, text.length, ...Buffer.from(text)]), ...except !== undefined && { except } })

function createSubscriber (id: string) {
  const received: string[] = []
  const send = (frames: Buffer): void => { received.push(frames.toString()) }
  const notify = (frames: Buffer): void => send(frames.subarray(2))
  return { id, userId: `user of ${id}`, isDrained: true, send, notify, signal: notify, stream: () => received.join('') }
}

function start (t: Test, lastSeq = 0, maxWaiting = 1000) {
  const channel = new LocalChannel({ id: 'c1', name: 'general', lastSeq, aclVersion: 0, settingsVersion: 0 }, {
    maxWaiting,
    traffic: createTraffic([]),
    messages: { missing: async () => [], isInFlight: () => false },
    hasRoom: () => true,
    onFault: error => { throw error },
    onDoubt: () => {},
    onDelivered: () => {}
  })
  t.teardown(() => channel.sequencer.close())
  return channel
}

t.test('[P42] signals reach live subscribers except their sender, and are not kept for those who join or are held', t => {
  const channel = start(t)
  const [sender, live, joining, held] = ['sender', 'live', 'joining', 'held'].map(createSubscriber)
  for (const subscriber of [sender!, live!, held!]) {
    channel.attach(subscriber, 0)
    channel.goLive(subscriber, 0)
  }
  channel.attach(joining!, 0)
  channel.hold(held!)
  channel.notify({ ...notice('s', 'sender'), isSignal: true })
  channel.goLive(joining!, 0)
  channel.release(held!)
  t.same([sender, live, joining, held].map(subscriber => subscriber!.stream()), ['', 's', '', ''])
  t.end()
})

t.test('[P42] a mute that is older than a known one does not replace it', t => {
  const channel = start(t)
  channel.mute('ann', 0, 1)
  t.equal(channel.mutedFor('ann'), 0)
  channel.mute('ann', 60_000, 3)
  channel.mute('ann', 0, 2)
  t.ok(channel.mutedFor('ann') > 50_000)
  channel.mute('ann', 0, 4)
  channel.mute('ann', 60_000, 3)
  t.equal(channel.mutedFor('ann'), 0)
  t.end()
})

t.test('[P30] events between attachment and join reply are kept, and those after the seq of the reply follow it', async t => {
  const channel = start(t)
  const [early, joining] = [createSubscriber('early'), createSubscriber('joining')]
  channel.attach(early, 0)
  channel.goLive(early, 0)
  channel.sequencer.accept(run(1))
  channel.attach(joining, 0)
  channel.sequencer.accept(run(2, 4))
  channel.notify(notice('n'))
  channel.sequencer.accept(run(5))
  t.equal(joining.stream(), '')
  channel.goLive(joining, 3)
  t.equal(joining.stream(), '4n5', 'the reply contained everything up to 3')
  channel.sequencer.accept(run(6))
  t.equal(joining.stream(), '4n56')
  t.equal(early.stream(), '1234n56')
})

t.test('[P30] a join reply that is ahead of the live stream is not followed by entries that it contained', async t => {
  const channel = start(t)
  const joining = createSubscriber('joining')
  channel.attach(joining, 0)
  channel.goLive(joining, 4)
  channel.sequencer.accept(run(1, 2))
  channel.notify(notice('n'))
  t.equal(joining.stream(), 'n')
  channel.sequencer.accept(run(3, 6))
  channel.sequencer.accept(run(7))
  t.equal(joining.stream(), 'n567')
})

t.test('[P30] a join reply that ends where the next run ends is followed without a gap', async t => {
  const channel = start(t)
  const joining = createSubscriber('joining')
  channel.attach(joining, 0)
  channel.goLive(joining, 2)
  channel.sequencer.accept(run(1, 2))
  channel.sequencer.accept(run(3))
  t.equal(joining.stream(), '3')
})

t.test('[P20] a subscriber that joins twice receives every entry once', async t => {
  const channel = start(t)
  const tab = createSubscriber('tab')
  channel.attach(tab, 0)
  channel.goLive(tab, 0)
  channel.sequencer.accept(run(1))
  channel.attach(tab, 0)
  channel.sequencer.accept(run(2))
  channel.goLive(tab, 1)
  channel.sequencer.accept(run(3))
  t.equal(tab.stream(), '123')
  t.equal(channel.subscribers().length, 1)
})

t.test('a join for which more events wait than may be kept is reported as overflowed', async t => {
  const channel = start(t, 0, 4)
  const joining = createSubscriber('joining')
  channel.attach(joining, 0)
  channel.sequencer.accept(run(1, 4))
  t.notOk(channel.overflowed(joining))
  channel.sequencer.accept(run(5))
  t.ok(channel.overflowed(joining))
  channel.sequencer.accept(run(6))
  channel.goLive(joining, channel.sequencer.last)
  channel.sequencer.accept(run(7))
  t.equal(joining.stream(), '7')
})

t.test('a notice reaches every subscriber except the connection that gets a reply instead', async t => {
  const channel = start(t)
  const [live, pending, asking] = ['live', 'pending', 'asking'].map(createSubscriber)
  for (const subscriber of [live!, pending!, asking!]) channel.attach(subscriber, 0)
  channel.goLive(live!, 0)
  channel.goLive(asking!, 0)
  channel.notify(notice('n', 'asking'))
  channel.goLive(pending!, 0)
  t.same([live, pending, asking].map(subscriber => subscriber!.stream()), ['n', 'n', ''])
})

t.test('a subscriber that leaves while its join is being answered receives nothing', async t => {
  const channel = start(t)
  const joining = createSubscriber('joining')
  channel.attach(joining, 0)
  channel.sequencer.accept(run(1))
  t.ok(channel.detach(joining))
  t.notOk(channel.detach(joining))
  channel.goLive(joining, 0)
  channel.sequencer.accept(run(2))
  t.equal(joining.stream(), '')
  t.ok(channel.empty)
})

t.test('[P60] a subscriber that left according to the bus gets nothing until the database is asked, then all or nothing', async t => {
  const channel = start(t)
  const [staying, leaving] = [createSubscriber('staying'), createSubscriber('leaving')]
  for (const subscriber of [staying, leaving]) {
    channel.attach(subscriber, 0)
    channel.goLive(subscriber, 0)
  }
  channel.sequencer.accept(run(1))
  for (const subscriber of [staying, leaving]) channel.hold(subscriber)
  t.equal(channel.position(leaving), 1)
  channel.sequencer.accept(run(2))
  channel.notify(notice('n'))
  t.equal(leaving.stream(), '1')
  channel.detach(leaving)
  for (const subscriber of [staying, leaving]) channel.release(subscriber)
  channel.sequencer.accept(run(3))
  t.equal(staying.stream(), '12n3')
  t.equal(leaving.stream(), '1')
})

t.test('[P60] a subscriber that is held loses nothing: events are sent when no more may wait', async t => {
  const channel = start(t, 0, 3)
  const held = createSubscriber('held')
  channel.attach(held, 0)
  channel.goLive(held, 0)
  channel.hold(held)
  channel.sequencer.accept(run(1, 3))
  t.equal(held.stream(), '')
  channel.sequencer.accept(run(4))
  t.equal(held.stream(), '1234')
  channel.release(held)
  channel.sequencer.accept(run(5))
  t.equal(held.stream(), '12345')
})
