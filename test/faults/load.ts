import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.ts'
import { createMix, RETRY_MS, TRANSIENT } from './mix.ts'
import type { Recorder, Sent } from './recorder.ts'

const TICK_MS = 10
/** Messages for each request of another kind, and for each message that is a reply. */
const PER_OTHER = 5
const PER_REPLY = 3
let loads = 0

/**
 * Sends messages at a steady rate until `stop`, by each writer and into each channel in turn, and each again until it is acked. Besides
 * them it edits and deletes messages, reacts to them and sends signals: a fifth as many.
 */
export function startLoad (ledger: Ledger, { writers, channels, rate, text = 'message' }: {
  writers: Recorder[], channels: string[], rate: number, text?: string
}) {
  const name = `load${++loads}`
  const mix = createMix(ledger, name)
  const underWay = new Set<Promise<void>>()
  const began = performance.now()
  let sent = 0
  let stopping = false

  async function deliver (writer: Recorder, channel: string, clientId: string, replyTo: string | undefined): Promise<void> {
    for (;;) {
      const outcome: Sent = await writer.send(channel, `${text} ${clientId}`, clientId, replyTo)
      ledger.note(channel, writer.port, outcome)
      mix.note(channel, writer, outcome)
      if (outcome.code === null || !TRANSIENT.has(outcome.code)) return
      // A disconnected writer is not brought back any more, and a message without an ack need not be stored.
      if (stopping && !writer.open) return
      await sleep(RETRY_MS)
    }
  }

  function track (work: Promise<void>): void {
    const done = work.finally(() => underWay.delete(done))
    underWay.add(done)
  }

  const timer = setInterval(() => {
    for (const due = (performance.now() - began) / 1000 * rate; sent < due && !stopping; sent++) {
      const writer = writers[sent % writers.length]!
      const channel = channels[Math.floor(sent / writers.length) % channels.length]!
      track(deliver(writer, channel, `${name}-${sent}`, sent % PER_REPLY === 0 ? mix.target(channel) : undefined))
      if (sent % PER_OTHER === 0) track(mix.act(writer, channel, () => stopping))
    }
  }, TICK_MS)

  return {
    /** Starts no further request. Resolves when every request is acked or finally refused. */
    async stop (): Promise<void> {
      stopping = true
      clearInterval(timer)
      await Promise.all(underWay)
    }
  }
}
