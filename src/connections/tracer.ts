import type { EntriesEvent } from '../broker/broker.ts'
import { AppError } from '../errors.ts'
import { idOfKey } from '../schemas/message.ts'
import { traceSteps, type Trace, type TraceStep } from '../schemas/trace.ts'
import type { LocalChannel, Subscriber } from './channel.ts'
import type { Flushable } from './flusher.ts'
import { encode } from './frames.ts'
import type { Session } from './session.ts'

/** Milliseconds that a trace lasts. */
const TRACE_MS = 60_000
/** Connections of an instance that may trace at the same time. */
const MAX_TRACES = 4
/** Messages of a channel that are traced in a second, at most: their frames may all leave in one turn, as signals do. */
const MESSAGES_PER_SECOND = 20
/** Acked messages that wait for their delivery, at most: as many as one commit has. */
const MAX_SENT = 500
/** Milliseconds after which a message that has not reached all subscribers' machines is reported as it is. */
const PATIENCE_MS = 5000
/** Milliseconds between two looks whether sockets have taken what was written, while some have not. */
const LOOK_MS = 10

/** When a message was at each step, by `performance.now()`. */
type Times = Partial<Record<TraceStep, number>>

/** A message of a traced channel on its way to this instance's subscribers. */
interface Traced { id: string, seq: number, times: Times }

/** Messages that came in one run, and leave with the same writes. `subscribers`: those whose sockets have not taken everything. */
interface Run { channel: LocalChannel, messages: Traced[], subscribers: Subscriber[], count: number, batch: number, since: number }

/** A traced channel, with the connections that trace it. `taken`: messages in the second that began at `second`. */
interface TracedChannel { name: string, sessions: Set<Session>, second: number, taken: number }

export interface TracerDeps {
  /** Has the target called when the sessions that wait for a flush are flushed, after those that wait already. */
  scheduleFlush (target: Flushable): void
  /** The commit whose messages are delivered now. */
  lastBatch (): { takenAt: number, committedAt: number, size: number }
  /** Called when the first trace begins, and when the last one has ended. */
  onSwitched (isOn: boolean): void
}

export type Tracer = ReturnType<typeof createTracer>

/**
 * Follows the messages of a few channels through this instance, for admins [P80]. While nobody traces, the hub looks at `isOn` once for
 * each run of a channel's entries, and nothing else runs.
 */
export function createTracer ({ scheduleFlush, lastBatch, onSwitched }: TracerDeps) {
  const channels = new Map<string, TracedChannel>()
  /** The channel of each connection that traces, and the timer that ends it. */
  const traces = new Map<Session, { channelId: string, timer: NodeJS.Timeout }>()
  /** Messages that have been acked and whose delivery follows, by id. */
  const sent = new Map<string, Times>()
  /** Runs that the sequencer holds until an entry before them comes, and runs that sockets have not taken. */
  let held: Run[] = []
  let undrained: Run[] = []
  let timer: NodeJS.Timeout | undefined

  const tracer = {
    /** Whether anything is traced. */
    isOn: false,

    /** @throws AppError `busy` if too many other connections trace. */
    checkRoom (session: Session): void {
      for (const other of traces.keys()) if (!mayTrace(other)) end(other)
      if (traces.size - Number(traces.has(session)) >= MAX_TRACES) throw new AppError('busy')
    },

    /**
     * Traces the channel for this connection, for a minute from now on, in place of another channel.
     * @throws AppError as `checkRoom`.
     */
    begin (session: Session, channelId: string, name: string): void {
      tracer.checkRoom(session)
      end(session)
      const channel = channels.get(channelId) ?? { name, sessions: new Set(), second: 0, taken: 0 }
      channels.set(channelId, channel)
      channel.sessions.add(session)
      traces.set(session, { channelId, timer: setTimeout(end, TRACE_MS, session).unref() })
      if (tracer.isOn) return
      tracer.isOn = true
      onSwitched(true)
    },

    /** Whether a channel of this name is traced. */
    traces (name: unknown): boolean {
      for (const channel of channels.values()) if (channel.name === name) return true
      return false
    },

    /** Notes what is known of a message that has just been acked. */
    acked (id: string, times: Times): void {
      if (sent.size < MAX_SENT) sent.set(id, { ...times, acked: performance.now() })
    },

    /** Has the channel accept a run of entries, and follows its messages. `isOwn`: this instance has committed it. */
    accept (channel: LocalChannel, event: EntriesEvent, isOwn: boolean): void {
      const traced = channels.get(channel.id)
      const subscribers = traced === undefined ? [] : channel.subscribers()
      if (traced === undefined || subscribers.length === 0) return channel.sequencer.accept(event)
      const cameAt = performance.now()
      const before = channel.sequencer.last
      const first: Times = {}
      scheduleFlush({ id: 'trace', flush: () => { first.written_first = performance.now() } })
      channel.sequencer.accept(event)
      const now = performance.now()
      const { takenAt, committedAt, size } = lastBatch()
      const times: Times = isOwn ? { batched: takenAt, committed: committedAt, published: now } : { received_from_bus: cameAt }
      const messages = messagesOf(event, before)
      const run = {
        channel,
        messages: messages.slice(0, roomOf(traced, now)).map(({ id, seq }) => ({ id, seq, times: { ...times, ...sent.get(id) } })),
        subscribers,
        count: subscribers.length,
        batch: isOwn ? size : event.ends.length,
        since: now
      }
      traced.taken += run.messages.length
      for (const { id } of messages) sent.delete(id)
      if (run.messages.length > 0) held.push(run)
      leave(channel, first)
    }
  }

  /** Ends the trace of a connection. */
  function end (session: Session): void {
    const trace = traces.get(session)
    if (!trace) return
    clearTimeout(trace.timer)
    traces.delete(session)
    const channel = channels.get(trace.channelId)!
    channel.sessions.delete(session)
    if (channel.sessions.size === 0) channels.delete(trace.channelId)
    if (traces.size > 0) return
    clearTimeout(timer)
    timer = undefined
    held = []
    undrained = []
    sent.clear()
    tracer.isOn = false
    onSwitched(false)
  }

  /** Follows the runs that the channel's sequencer has let through in this turn of the event loop to the sockets. */
  function leave (channel: LocalChannel, first: Times): void {
    const leaving = held.filter(run => run.channel === channel && run.messages.at(-1)!.seq <= channel.sequencer.last)
    held = held.filter(run => !leaving.includes(run))
    if (leaving.length > 0) {
      scheduleFlush({
        id: 'trace',
        flush () {
          for (const run of leaving) note(run, { ...first, written_last: performance.now() })
          undrained.push(...leaving)
          look()
        }
      })
    }
    lookSoon()
  }

  /** Reports the runs that all sockets have taken, and those that take too long. */
  function look (): void {
    timer = undefined
    const now = performance.now()
    for (const channel of new Set(held.map(({ channel }) => channel))) leave(channel, {})
    undrained = undrained.filter(run => {
      run.subscribers = run.subscribers.filter(subscriber => !subscriber.isDrained)
      if (run.subscribers.length === 0) note(run, { drained_last: now })
      else if (now - run.since < PATIENCE_MS) return true
      report(run)
      return false
    })
    const late = held.filter(run => now - run.since >= PATIENCE_MS)
    held = held.filter(run => !late.includes(run))
    for (const run of late) report(run)
    lookSoon()
  }

  function lookSoon (): void {
    if (held.length + undrained.length > 0) timer ??= setTimeout(look, LOOK_MS).unref()
  }

  function report ({ channel, messages, count, batch }: Run): void {
    const traced = channels.get(channel.id)
    if (!traced) return
    for (const session of traced.sessions) if (!mayTrace(session)) end(session)
    for (const { id, seq, times } of messages) {
      const frame = encode({ type: 'trace', channel: traced.name, id, seq, steps: stepsOf(times), subscribers: count, batch })
      for (const session of traced.sessions) session.signal(frame)
    }
  }

  return tracer
}

function mayTrace ({ closing, user }: Session): boolean {
  return !closing && user?.role === 'admin'
}

/** The steps in their order, with the milliseconds since the first. */
function stepsOf (times: Times): Trace['steps'] {
  const steps = traceSteps.flatMap(step => times[step] === undefined ? [] : [{ step, at: times[step] }])
  return steps.map(({ step, at }) => ({ step, at_ms: Math.max(0, at - steps[0]!.at) }))
}

function note ({ messages }: Run, times: Times): void {
  for (const message of messages) Object.assign(message.times, times)
}

/** The messages of a run after the entry `before`. Edits, deletions and reactions are not traced. */
function messagesOf ({ firstSeq, keys = [] }: EntriesEvent, before: number): Array<{ id: string, seq: number }> {
  return keys.flatMap((key, i) => {
    const seq = firstSeq + i
    return seq > before && key.startsWith('message ') ? [{ id: idOfKey(key), seq }] : []
  })
}

/** How many further messages of the channel may be traced in this second. */
function roomOf (channel: TracedChannel, now: number): number {
  if (now - channel.second >= 1000) Object.assign(channel, { second: now, taken: 0 })
  return MESSAGES_PER_SECOND - channel.taken
}
