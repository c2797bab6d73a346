import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { SocketLike, WebSocketLike } from '@parley/client'
import type * as Module from '../../client/dist/multiplexer.js'
import { root } from '../../scripts/root.ts'

/** The code that the worker of all tabs runs. It is no part of the package's interface. */
export const { createMultiplexer } = await import(pathToFileURL(join(root, 'client/dist/multiplexer.js')).href) as typeof Module
export type Multiplexer = Module.Multiplexer

/** A token that the server could have made for this user. The multiplexer reads it, but does not check it. */
export function tokenOf (userId: string, expiresAt: number): string {
  const claims = { user_id: userId, sid: 'login', exp: expiresAt / 1000 }
  return `header.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`
}

/** A tab's class of sockets that go over the multiplexer, as over a MessagePort. `crash` ends the tab without a word. */
export function createTab (multiplexer: Multiplexer) {
  let current: { number: number, socket: SocketLike } | undefined
  let count = 0
  const { take, gone } = multiplexer.attach(message => queueMicrotask(() => {
    if (!current || !('socket' in message) || message.socket !== current.number) return
    const { socket } = current
    if (message.type === 'frame') {
      take({ type: 'taken', size: message.text.length })
      ;(socket.onmessage as ((event: object) => void) | null)?.({ data: message.text })
    } else {
      current = undefined
      ;(socket.onclose as ((event: object) => void) | null)?.(message)
    }
  }))

  class TabSocket implements SocketLike {
    onopen: unknown = null
    onmessage: unknown = null
    onclose: unknown = null
    onerror: unknown = null
    readonly #number = ++count

    constructor () {
      current = { number: this.#number, socket: this }
      take({ type: 'open', socket: this.#number })
    }

    send (text: string): void { take({ type: 'send', socket: this.#number, text }) }
    close (): void { take({ type: 'close', socket: this.#number }) }
  }

  return { WebSocket: TabSocket as WebSocketLike, crash: gone }
}
