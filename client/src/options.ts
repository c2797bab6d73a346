import type { ChannelOptions } from './channel-state.ts'
import type { Clock } from './clock.ts'
import type { ConnectionState } from './connection.ts'
import type { OutboxStorage } from './outbox-storage.ts'

/** A message of a socket, an end of a socket: the parts of the events that the client reads. */
export interface SocketLike {
  onopen: unknown
  onmessage: unknown
  onclose: unknown
  onerror: unknown
  send (data: string): void
  close (code?: number, reason?: string): void
  /** Ends the connection without a handshake. The package `ws` has it, browsers do not. */
  terminate? (): void
}

/** The browser's WebSocket, that of Node 22, or the class of the package `ws`. */
export type WebSocketLike = new (url: string, protocols?: string[]) => SocketLike

/** Where the login is kept between visits. `login` is an opaque text, null for none. Several tabs may share one storage. */
export interface LoginStorage {
  load (): string | null | Promise<string | null>
  save (login: string | null): void | Promise<void>
  /** Calls `listener` when another tab has saved something. @returns a function that ends this. */
  subscribe? (listener: () => void): () => void
}

/** Why a token is asked for: for a new connection, because the current one ends soon, or because it was refused. */
export type TokenReason = 'connect' | 'expiring' | 'refused'

/** An event inside the client, for logs. `ignored`: the type of a frame that this client does not know, or that is no frame. */
export type LogEvent =
  | { type: 'connection', state: ConnectionState }
  | { type: 'ignored', frame: string }
  | { type: 'fault', error: unknown }

export interface ParleyOptions {
  /** Where the server is, with the path prefix that it has, if any. Default: the origin of the page. */
  url?: string | URL
  /**
   * Gives access tokens that another issuer or a server made; null connects as a guest. It is asked again when a token has expired, ends
   * soon or was refused. With it, `parley.account` is of no use.
   */
  token?: (why: TokenReason) => string | null | Promise<string | null>
  /**
   * Where the login of `parley.account` is kept. Default: `local` where the browser has it, otherwise `memory`. `cookie` is for pages that
   * the server's own address delivers: no script can read the refresh token, and `localStorage` has only the user.
   */
  storage?: 'local' | 'session' | 'memory' | 'cookie' | LoginStorage
  /**
   * Most messages that wait to be stored, in all channels together, and most bytes of them: 1000 messages, 1 MiB. `storage`: where they are
   * kept, so that they survive a reload. Default: `none`, in memory. Messages of guests are never kept.
   */
  outbox?: { messages?: number, bytes?: number, storage?: 'none' | 'indexeddb' | OutboxStorage }
  /**
   * `shared`, the default: all tabs of a login have one connection, in a shared worker. Where the browser has none, for guests, with
   * `WebSocket`, and for tokens that are not Parley's, each tab has its own. Vite bundles the worker by itself. With esbuild, bundle
   * `@parley/client/worker` as `worker.js` beside the page's script. A page whose policy has `trusted-types` has to list `parley` there.
   */
  tabs?: 'shared' | 'own'
  /** Options of all channels that are not given others. */
  channels?: ChannelOptions
  clock?: Clock
  WebSocket?: WebSocketLike
  fetch?: typeof fetch
  /** Default: faults go to `console.error`. */
  log?: (event: LogEvent) => void
}

/** Options of one call. */
export interface CallOptions {
  /** Milliseconds after which the call is given up with the code `timeout`, although it may still have an effect. Default: 15,000. */
  timeout?: number
  /** Gives the call up with the code `aborted`. */
  signal?: AbortSignal
}
