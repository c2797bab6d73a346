import type { WebSocketLike } from '@parley/client'
import { t } from '../tap.ts'
import { createScene, ScriptedSocket } from './scripted.ts'

t.test('[C10] a socket whose close is not answered is ended after a second, so that a dead network does not keep Node running', async t => {
  const terminated: number[] = []
  let isDead = false
  const scene = createScene(t)
  const dying = createScene(t, {
    WebSocket: class extends ScriptedSocket {
      constructor (url: string) {
        super(url, [], () => {})
      }

      override close (): void {
        if (!isDead) super.close()
      }

      terminate (): void {
        terminated.push(dying.clock.now())
        this.end()
      }
    } as WebSocketLike
  })
  for (const dead of [false, true]) {
    isDead = dead
    await dying.connect()
    const began = dying.clock.now()
    await dying.parley.disconnect()
    await dying.clock.advance(0)
    t.equal(dying.clock.pending, dead ? 1 : 0)
    await dying.clock.advance(1000)
    t.same(terminated, dead ? [began + 1000] : [])
    t.equal(dying.clock.pending, 0)
  }

  await scene.connect()
  scene.socket.close = () => {}
  await scene.parley.disconnect()
  t.equal(scene.clock.pending, 0, 'browsers end a socket by themselves')
})

t.test('[C7] [C10] disconnect gives up a refresh of the login that is under way, and the login stays', async t => {
  const login = JSON.stringify({ user: { user_id: 'me', username: 'Ann', email: null, handle: null, role: 'user' }, refreshToken: 'kept' })
  const asked: AbortSignal[] = []
  const { parley, clock } = createScene(t, {
    token: undefined as never,
    storage: { load: () => login, save: () => { t.fail('nothing is saved') } },
    fetch: (_, { signal } = {}) => new Promise((_resolve, reject) => {
      asked.push(signal!)
      signal!.addEventListener('abort', () => reject(signal!.reason))
    })
  })
  parley.connect()
  await clock.advance(100)
  t.equal(asked.length, 1)
  await parley.disconnect()
  await clock.advance(0)
  t.ok(asked[0]!.aborted)
  t.equal(clock.pending, 0)
  t.match(parley.account.getSnapshot(), { user_id: 'me' })

  parley.connect()
  await clock.advance(100)
  t.equal(asked.length, 2, 'the next connection asks anew')
  await parley.disconnect()
})
