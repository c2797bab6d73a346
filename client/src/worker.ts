import { createTimer, newId, systemClock } from './clock.ts'
import { createMultiplexer, type Multiplexer } from './multiplexer.ts'
import type { FromTab } from './tab-messages.ts'
import { listenForWake } from './wake.ts'
import { holdLock, webLocks, whenFree } from './web-locks.ts'

/** Milliseconds after which a worker without tabs ends: a page that reloads, or ends one client and begins another, finds it again. */
const LINGER = 2000

/** The global object of the shared worker that holds the socket of all tabs of a login [C9]. */
const scope = globalThis as unknown as { onconnect: (event: MessageEvent) => void, close (): void }
const locks = webLocks()!
const lock = `parley:worker:${newId(systemClock)}`
/** Tabs wait for this lock: they get it when the worker ends, for example because it shared the process of a tab that has crashed. */
const held = holdLock(locks, lock)
const linger = createTimer(systemClock, () => scope.close())
let multiplexer: Multiplexer | undefined

listenForWake(() => multiplexer?.probe())

scope.onconnect = ({ ports: [port] }) => {
  let tab: ReturnType<Multiplexer['attach']> | undefined
  const stop = new AbortController()
  linger.stop()

  function gone (): void {
    stop.abort()
    port!.close()
    tab?.gone()
    tab = undefined
    if (multiplexer?.isUnused) linger.start(LINGER)
  }

  port!.onmessage = ({ data: message }: MessageEvent<FromTab>) => {
    if (message.type === 'bye') return gone()
    if (message.type !== 'hello') return tab?.take(message)
    // The worker is named by the login and the server, so that all its tabs have the same address.
    multiplexer ??= createMultiplexer({ url: message.url, clock: systemClock, WebSocket })
    tab = multiplexer.attach(reply => port!.postMessage(reply))
    // A MessagePort does not say that its other end has ended.
    whenFree(locks, message.lock, stop.signal, gone).catch(gone)
    held.then(() => port!.postMessage({ type: 'hello', lock }), gone)
  }
}
