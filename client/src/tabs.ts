import { BUILD } from './build.ts'
import { claimsOf } from './claims.ts'
import { createTimer, newId, type Clock } from './clock.ts'
import type { SocketLike } from './options.ts'
import { weightOf, type FromTab, type ToTab } from './tab-messages.ts'
import { holdLock, webLocks, whenFree } from './web-locks.ts'

/** Milliseconds within which the worker has to answer. */
const PATIENCE = 5000
/** Times in a row that it may fail to. A worker that is about to end may not see that another tab comes. */
const MAX_MISSES = 2
/** The weight of frames after which the worker is told that they were read. */
const TOLD_AFTER = 2 ** 16
const ABNORMAL = 1006

export type Tabs = ReturnType<typeof createTabs>

/**
 * Opens connections over the socket that all tabs of a login share [C9]. A shared worker holds the socket. `onUp`: another tab has got a
 * connection.
 */
export function createTabs ({ url, clock, onFault, onUp }: { url: string, clock: Clock, onFault (error: unknown): void, onUp (): void }) {
  let link: ReturnType<typeof createLink> | undefined
  let misses = 0

  function failed (error: unknown): void {
    misses = error instanceof Silence ? misses + 1 : MAX_MISSES
    if (misses >= MAX_MISSES) onFault(error)
    link = undefined
  }

  return {
    /**
     * Opens a connection for the login of this token. @returns undefined where tabs cannot share one: a guest lasts as long as their
     * connection, a token of somebody else's making does not say whose it is, or the browser or the page's policy does not allow it.
     */
    open (token: string | null): SocketLike | undefined {
      const claims = claimsOf(token ?? '')
      const locks = webLocks()
      if (!claims || !locks || misses >= MAX_MISSES || !('SharedWorker' in globalThis)) return undefined
      const name = `parley:${BUILD}:${url}:${claims.user_id}:${claims.sid}`
      if (link?.name !== name) {
        link?.end()
        link = createLink({ name, url, locks, clock, onUp, onFailed: failed, onAnswered () { misses = 0 } })
      }
      return link.open()
    },

    /** Lets go of the worker. */
    end (): void {
      link?.end()
      link = undefined
    }
  }
}

/** The worker does not answer. */
class Silence extends Error {}

/** Connects this tab to the worker of this name. */
function createLink ({ name, url, locks, clock, onUp, onAnswered, onFailed }: {
  name: string, url: string, locks: LockManager, clock: Clock, onUp (): void, onAnswered (): void, onFailed (error: unknown): void
}) {
  const lock = `${name}:${newId(clock)}`
  const stop = new AbortController()
  const deadline = createTimer(clock, () => fail(new Silence('the shared worker does not answer')))
  /** Messages to the worker, until it is there. */
  let early: FromTab[] = []
  let port: MessagePort | undefined
  let socket: SocketLike | undefined
  let sockets = 0
  let taken = 0

  deadline.start(PATIENCE)
  start().catch(fail)

  async function start (): Promise<void> {
    const release = await holdLock(locks, lock)
    stop.signal.addEventListener('abort', release)
    if (stop.signal.aborted) return release()
    const worker = startWorker(name)
    worker.onerror = () => fail(new Error('the shared worker cannot be started, so that this tab has a connection of its own'))
    port = worker.port
    port.onmessage = ({ data }: MessageEvent<ToTab>) => receive(data)
    for (const message of [{ type: 'hello', lock, url }, ...early]) port.postMessage(message)
    early = []
  }

  function say (message: FromTab): void {
    if (port) port.postMessage(message)
    else early.push(message)
  }

  function receive (message: ToTab): void {
    if (message.type === 'hello') {
      deadline.stop()
      onAnswered()
      whenFree(locks, message.lock, stop.signal, () => fail(new Silence('the shared worker has ended'))).catch(fail)
    } else if (message.type === 'up') onUp()
    else if (message.type === 'frame') {
      taken += weightOf(message.text)
      if (taken >= TOLD_AFTER) {
        say({ type: 'taken', size: taken })
        taken = 0
      }
      if (message.socket === sockets) (socket?.onmessage as ((event: object) => void) | null | undefined)?.({ data: message.text })
    } else if (message.socket === sockets) lose(message.code, message.reason)
  }

  function lose (code: number, reason: string): void {
    const last = socket
    socket = undefined;
    (last?.onclose as ((event: object) => void) | null | undefined)?.({ code, reason })
  }

  function fail (error: unknown): void {
    if (stop.signal.aborted) return
    end()
    onFailed(error)
    lose(ABNORMAL, String(error))
  }

  function end (): void {
    deadline.stop()
    say({ type: 'bye' })
    port?.close()
    stop.abort()
  }

  return {
    name,
    end,
    open (): SocketLike {
      const number = ++sockets
      const own: SocketLike = {
        onopen: null, onmessage: null, onclose: null, onerror: null,
        send: text => say({ type: 'send', socket: number, text }),
        close: () => say({ type: 'close', socket: number })
      }
      socket = own
      say({ type: 'open', socket: number })
      return own
    }
  }
}

interface Policy { createScriptURL (url: string): URL }
interface TrustedTypes { createPolicy (name: string, rules: { createScriptURL (url: string): string }): Policy }
let policy: Policy | undefined

/** Bundlers know the expression with `new URL`: they bundle the worker and put its address there. */
function startWorker (name: string): SharedWorker {
  const SharedWorker = TrustedSharedWorker as unknown as typeof globalThis.SharedWorker
  return new SharedWorker(new URL('./worker.js', import.meta.url), { type: 'module', name })
}

/** A `SharedWorker` whose address satisfies Trusted Types [C14]. A page that lists its policies in `trusted-types` has to list `parley`. */
function TrustedSharedWorker (url: URL, options: WorkerOptions): SharedWorker {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes }
  policy ??= trustedTypes?.createPolicy('parley', { createScriptURL: address => address })
  return new globalThis.SharedWorker(policy ? policy.createScriptURL(url.href) : url, options)
}
