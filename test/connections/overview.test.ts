import type { Hub } from '../../src/connections/hub.ts'
import type { Allowance } from '../../src/connections/limits.ts'
import { createOverview } from '../../src/connections/overview.ts'
import type { Session } from '../../src/connections/session.ts'
import { t } from '../tap.ts'
import { ann, createSession } from './session.ts'

const of = (session: Session) =>
  createOverview({ sessions: () => [session] } as unknown as Hub, () => null).list(undefined, 1, undefined)[0]!

t.test('[P79] a connection whose socket takes nothing for 2 s is not reading, one whose socket takes some is falling behind', async t => {
  const { session, socket, tick } = createSession()
  const nothing = { user_id: null, username: null, queued_bytes: 0, slow_since: null, last_taken_at: null }
  t.match(of(session), { state: 'not_authenticated', ...nothing })
  session.authenticated(ann, null, Infinity)
  t.match(of(session), { state: 'ok', user_id: ann.id, username: 'ann', handle: 'ann', is_guest: false })
  socket.buffered = 1000
  session.send(Buffer.alloc(50), 1)
  session.flush()
  t.match(of(session), { state: 'falling_behind', queued_bytes: 1000, slow_since: String, last_taken_at: String })
  tick(1999)
  t.equal(of(session).state, 'falling_behind')
  tick(2000)
  const { state, slow_since: since, last_taken_at: taken } = of(session)
  t.equal(state, 'not_reading')
  t.ok(Date.now() - Date.parse(since!) >= 1990)
  t.equal(since, taken)
  session.close('disconnected')
  t.equal(of(session).state, 'closing')
})

t.test('[P79] a connection that is over its limits, or not read because too many of its requests wait, is flooding', async t => {
  const allowance = { refusals: 0, isWaiting: false, identify () {}, takeReserved: () => false, takeFrame: () => 0, takeRequest: () => 0 }
  const over = createSession(undefined, allowance as unknown as Allowance)
  over.session.authenticated(ann, null, Infinity)
  t.equal(of(over.session).state, 'ok')
  allowance.refusals = 1
  t.equal(of(over.session).state, 'flooding')
  over.tick(1000)
  t.equal(of(over.session).state, 'ok', 'after a second without a refusal')

  const { session, arrive } = createSession(() => new Promise(() => {}))
  session.authenticated(ann, null, Infinity)
  for (let i = 0; i < 64; i++) arrive(Buffer.from('{"type":"heartbeat"}'))
  t.match(of(session), { state: 'ok', waiting_requests: 63 })
  arrive(Buffer.from('{"type":"heartbeat"}'))
  t.match(of(session), { state: 'flooding', waiting_requests: 64 })
})
