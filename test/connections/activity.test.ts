import type { Broker, BusEvent } from '../../src/broker/broker.ts'
import { createActivity } from '../../src/connections/activity.ts'
import type { Session } from '../../src/connections/session.ts'
import type { Entry } from '../../src/schemas/message.ts'
import { eventually } from '../eventually.ts'
import { t } from '../tap.ts'

const INSTANCES = 10
const MEMBERS = 1000
const MESSAGES = 600

interface Instance { isSubscribed: boolean, receive (event: BusEvent): void }

t.test(`[P44] ${MEMBERS} members on ${INSTANCES} instances: neither frames nor the bus follow the number of messages`, async t => {
  const instances: Instance[] = []
  const counts = { frames: 0, published: 0, delivered: 0, statements: 0 }
  const last = new Map<Session, number>()

  /** An instance with this many connections that asked for activity, each of another member. */
  async function start (connections: number) {
    const instance: Instance = { isSubscribed: false, receive () {} }
    instances.push(instance)
    const broker = {
      subscribe () { instance.isSubscribed = true },
      unsubscribe () { instance.isSubscribed = false },
      publish (_topic: string, event: BusEvent) {
        counts.published++
        for (const other of instances.filter(({ isSubscribed }) => isSubscribed)) {
          counts.delivered++
          other.receive(event)
        }
      }
    } as unknown as Broker
    const activity = createActivity({
      broker,
      channelsOf: async () => [{ id: 'c', name: 'room' }],
      async heardBy (channelIds) {
        counts.statements++
        return channelIds.map(() => ({ lastSeq: MESSAGES, lastMessageAt: new Date() }))
      },
      onFault (error) { throw error }
    })
    t.teardown(activity.stop)
    instance.receive = activity.receive
    for (let i = 0; i < connections; i++) {
      const session = {
        userId: `u${instances.length}-${i}`,
        subscriptions: new Map(),
        signal (frame: Buffer) {
          counts.frames++
          last.set(session, JSON.parse(frame.toString('utf8', 2)).seq)
        }
      } as unknown as Session
      await activity.watch(session)
    }
    return activity
  }

  const activities = []
  for (let i = 0; i < INSTANCES; i++) activities.push(await start(MEMBERS / INSTANCES))
  const idle = [await start(0), await start(0)]
  const began = performance.now()
  for (let seq = 1; seq <= MESSAGES; seq++) {
    activities[seq % INSTANCES]!.stored('c', [{ type: 'message', seq } as Entry])
    await eventually(() => performance.now() - began >= seq * 5)
  }
  await eventually(() => last.size === MEMBERS && [...last.values()].every(seq => seq === MESSAGES))
  const seconds = (performance.now() - began) / 1000
  const { frames, published, delivered, statements } = counts
  t.comment(`${seconds} s: ${frames} frames, ${published} published, ${delivered} delivered, ${statements} statements`)
  t.ok(frames <= MEMBERS * (seconds + 1), `${frames} frames`)
  t.ok(published <= INSTANCES * (seconds + 1), `${published} messages on the bus`)
  t.equal(delivered, published * INSTANCES, 'instances without such connections get nothing')
  t.ok(statements <= INSTANCES * (seconds + 1), `${statements} statements`)
  for (const activity of idle) activity.stored('c', [{ type: 'message', seq: 1 } as Entry])
})
