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
