import { readdirSync, readFileSync } from 'node:fs'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance { descriptors: Descriptors }
}

export interface Descriptors {
  /** Connections dropped so far because they would have taken the last file descriptors. */
  readonly dropped: number
  /** True if few descriptors are left. They are for REST and health checks, so no further WebSocket connection should be accepted. */
  readonly areScarce: boolean
}

export interface DescriptorsDeps {
  /** File descriptors that the drivers of database and Redis may still open. */
  reserve: number
  /** WebSocket connections that the configuration allows. */
  maxConnections: number
}

/** File descriptors kept for files, name look-ups, metrics and other short uses. */
const RESERVE = 64
/** When connections take this share of the available descriptors, no further WebSocket connection is accepted. */
const WEBSOCKET_SHARE = 0.9
/** Milliseconds without a dropped connection, after which the next one is logged again. */
const QUIET_MS = 60_000
const FEWER = 'the limit of file descriptors (ulimit -n, LimitNOFILE) allows fewer connections than server.max_connections'
const DROPPED = 'out of file descriptors, new connections are dropped: raise the limit (ulimit -n, LimitNOFILE)'

/**
 * Keeps file descriptors in reserve by dropping further connections at once. If connections took the last descriptor, the process could
 * open no file and no connection to the database or Redis.
 */
export default fp(async (app, { reserve, maxConnections }: DescriptorsDeps) => {
  const { server } = app
  let max = Infinity
  let connections = 0
  let dropped = 0
  let reportedAt = -Infinity

  function report (details: object): void {
    const now = performance.now()
    if (now - reportedAt > QUIET_MS) app.log.warn(details, DROPPED)
    reportedAt = now
  }

  server.on('connection', socket => server.getConnections((_error, count) => {
    connections = count
    if (count <= max) return
    dropped++
    report({ connections: count - 1 })
    socket.destroy()
  }))

  app.addHook('onListen', async () => {
    max = roomFor(reserve + RESERVE)
    const possible = Math.floor(max * WEBSOCKET_SHARE)
    if (possible < maxConnections) app.log.warn({ possible, maxConnections }, FEWER)
    // Emitted when a connection cannot be accepted. Without a listener the error would end the process. Node tries again by itself.
    server.on('error', error => report({ err: error }))
  })

  app.decorate('descriptors', {
    get dropped () { return dropped },
    get areScarce () { return connections > max * WEBSOCKET_SHARE }
  })
}, { name: 'descriptors' })

/** Connections that the process has descriptors for, besides those in use and the reserve; at least half of the unused descriptors. */
function roomFor (reserve: number): number {
  try {
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8')) ?? []
    if (limit === undefined) return Infinity
    const left = Number(limit) - readdirSync('/proc/self/fd').length
    return Math.max(left - reserve, Math.floor(left / 2))
  } catch {
    // Only Linux has these files.
    return Infinity
  }
}
