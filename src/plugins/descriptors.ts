import { readdirSync, readFileSync } from 'node:fs'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyInstance { descriptors: Descriptors }
}

export interface Descriptors {
  /** Connections dropped so far, because they would have taken the last file descriptors. */
  readonly dropped: number
  /** No further connection should be kept for long: what is left is for REST and health checks. */
  readonly areScarce: boolean
}

export interface DescriptorsDeps {
  /** File descriptors that the drivers may still open. */
  reserve: number
  /** Connections that the configuration allows. */
  maxConnections: number
}

/** For files, name look-ups, metrics and what else is open for a moment. */
const RESERVE = 64
/** Of the connections that descriptors allow, the share that WebSocket connections may have. */
const WEBSOCKET_SHARE = 0.9
/** The next connection that is dropped is another event, and logged again, when none has been for this long. Milliseconds. */
const QUIET_MS = 60_000
const FEWER = 'the limit of file descriptors (ulimit -n, LimitNOFILE) allows fewer connections than server.max_connections'
const DROPPED = 'out of file descriptors, new connections are dropped: raise the limit (ulimit -n, LimitNOFILE)'

/**
 * Keeps file descriptors in reserve: where connections had taken the last one, no file, no connection to the database and none to Redis
 * could be opened. A connection beyond is dropped at once.
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
    // Of a connection that could not be accepted: an error that nobody listens to would end the process. Node tries again by itself.
    server.on('error', error => report({ err: error }))
  })

  app.decorate('descriptors', {
    get dropped () { return dropped },
    get areScarce () { return connections > max * WEBSOCKET_SHARE }
  })
}, { name: 'descriptors' })

/** Connections that this process has descriptors for, besides what is open now and this reserve; at least half of what is left. */
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
