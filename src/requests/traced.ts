import type { SessionRequests } from '../connections/session.ts'
import type { Tracer } from '../connections/tracer.ts'
import type { Messages } from '../services/messages.ts'
import type { Envelope } from './envelope.ts'
import { createRequests } from './requests.ts'

/** When a frame arrived, and when it was parsed. */
interface Arrival { received: number, parsed: number }

/**
 * Answers requests as `createRequests` does, and notes for the tracer when the messages of traced channels were received, parsed, queued
 * and acked [P80]. Connections use it only while something is traced, so that otherwise no request pays for it.
 */
export function createTracedRequests (context: Parameters<typeof createRequests>[0] & { tracer: Tracer }): SessionRequests {
  const { messages, tracer } = context
  const arrivals = new WeakMap<Envelope, Arrival>()
  /** That of the message that is being queued. */
  let arrival: Arrival | undefined
  const requests = createRequests({ ...context, messages: { ...messages, send } })

  function send (...[draft, done]: Parameters<Messages['send']>): void {
    if (arrival === undefined) return messages.send(draft, done)
    const times = { ...arrival, queued: performance.now() }
    messages.send(draft, (error, receipt) => {
      done(error, receipt)
      if (receipt && !receipt.duplicate) tracer.acked(receipt.id, times)
    })
  }

  return {
    ...requests,

    read (frame, since) {
      const received = since || performance.now()
      const request = requests.read(frame)
      if (request.kind === 'send_message' && tracer.traces(request.body.channel)) {
        arrivals.set(request, { received, parsed: performance.now() })
      }
      return request
    },

    handleSend (session, request, done) {
      arrival = arrivals.get(request)
      try {
        requests.handleSend(session, request, done)
      } finally {
        arrival = undefined
      }
    }
  }
}
