import { createOutboundMemory } from '../../src/connections/backlog.ts'
import { createRelief } from '../../src/connections/relief.ts'
import type { Session } from '../../src/connections/session.ts'
import { t } from '../tap.ts'

/** Sessions that hold `bytes` each and whose sockets last took some at `progressAt`, over a memory that may hold 100 bytes. */
function start (given: Array<{ bytes: number, progressAt: number } | null>) {
  const memory = createOutboundMemory(100)
  const closed: string[] = []
  const sessions = given.map((backlog, i) => {
    const held = Buffer.alloc(backlog?.bytes ?? 0)
    if (backlog) memory.hold(held)
    return {
      backlog,
      close (reason: string) {
        closed.push(`${i} ${reason}`)
        memory.release(held)
      }
    } as unknown as Session
  })
  return { closed, sessions, relieve: createRelief(memory) }
}

t.test('[P52] connections close only while all together hold too much: first those whose sockets have been idle longest', async t => {
  const { closed, sessions, relieve } = start([
    { bytes: 40, progressAt: 8000 }, { bytes: 40, progressAt: 2000 }, null, { bytes: 40, progressAt: 1000 }
  ])
  relieve(sessions, 10_000)
  t.same(closed, ['3 slow_consumer'], 'one is enough')
  relieve(sessions, 11_000)
  t.same(closed.length, 1, 'there is room again')
})

t.test('[P52] connections whose sockets still take bytes close a tick later, those that hold most first', async t => {
  const { closed, sessions, relieve } = start([{ bytes: 60, progressAt: 10_000 }, { bytes: 70, progressAt: 10_000 }])
  relieve(sessions, 10_000)
  t.same(closed, [])
  relieve(sessions.filter(({ backlog }) => backlog), 10_500)
  t.same(closed, ['1 slow_consumer'])
})
