import { createOutboundMemory } from '../../src/connections/backlog.ts'
import { decode, type Envelope } from '../../src/requests/envelope.ts'
import { table } from '../../src/requests/table.ts'
import { DROP, WAIT } from '../../src/connections/frame-reader.ts'
import { InboxBudget } from '../../src/connections/inbox-budget.ts'
import type { Allowance } from '../../src/connections/limits.ts'
import type { Reply } from '../../src/connections/reply.ts'
import { Session, type SessionUser } from '../../src/connections/session.ts'
import { createTraffic } from '../../src/connections/traffic.ts'
import type { Transport } from '../../src/connections/transport.ts'
import { Turns } from '../../src/connections/turns.ts'

export const ann: SessionUser = {
  id: 'u1', name: 'ann', handle: 'ann', email: 'ann@example.org', role: 'user', guest: false, disconnects: 0
}
export const limits = {
  authenticationTimeout: 10_000, connectionTimeout: 300_000, heartbeatInterval: 30_000, pongTimeout: 10_000, maxBuffered: 100_000,
  maxPayload: 65_536, unauthenticatedFrame: 65_536
}

/** Shared by all sessions of these tests, as all connections of a process share it. */
export const largeFrames = new Turns()

/** Returns a session with a simulated clock and socket, whose requests `handle` answers. */
export function createSession (
  handle: (request: Envelope) => Promise<Reply> | Reply = () => ({ frame: { type: 'success' } }), allowance: Allowance | null = null,
  inboxes = new InboxBudget(100_000_000)
) {
  const clock = { now: 0 }
  const socket = { buffered: 0, written: [] as Buffer[], calls: [] as string[] }
  const sends: Array<(reply: Buffer) => void> = []
  const faults: unknown[] = []
  /** Frames that have arrived and have not been read. */
  const unread: Buffer[] = []
  const call = (name: string) => (): void => { socket.calls.push(name) }
  const transport: Transport = {
    get buffered () { return socket.buffered },
    address: '127.0.0.1',
    bytesReceived: 0,
    bytesSent: 0,
    write: frames => { socket.written.push(frames) },
    cork: () => {},
    uncork: () => {},
    pause: call('pause'),
    resume: () => {
      call('resume')()
      arrive(...unread.splice(0))
    },
    ping: call('ping'),
    terminate: call('terminate'),
    close: (code, reason) => { socket.calls.push(`close ${code} ${reason}`) }
  }
  const session = new Session('s1', transport, '127.0.0.1', allowance, {
    traffic: createTraffic(Object.keys(table)),
    memory: createOutboundMemory(Infinity),
    now: () => clock.now,
    limits,
    inboxes,
    largeFrames,
    requests: {
      read: decode,
      costOf: () => undefined,
      handle: (_, request) => handle(request),
      handleSend: (_, __, done) => { sends.push(done) }
    },
    scheduleFlush: () => {},
    onFault: error => { faults.push(error) }
  })
  /** Lets text frames arrive, which are read as far as the session admits them. */
  function arrive (...frames: Buffer[]): void {
    for (const frame of frames) {
      const { length } = frame
      const verdict = unread.length > 0 ? WAIT : session.inbox.admit({ opcode: 1, isFinal: true, length, messageLength: length })
      if (verdict === WAIT) unread.push(frame)
      else if (verdict !== DROP) session.receive(frame, verdict)
    }
  }
  return {
    session,
    socket,
    arrive,
    sends,
    faults,
    /** Lets the clock tick once, at this time. */
    tick: (time: number): void => { session.tick(clock.now = time) },
    /** Everything sent so far. */
    sent: (): string => { session.flush(); return Buffer.concat(socket.written).toString('latin1') }
  }
}

export const heartbeat = Buffer.from('{"type":"heartbeat"}')
export const send = Buffer.from('{"type":"send_message"}')
