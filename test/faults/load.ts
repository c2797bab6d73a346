import { setTimeout as sleep } from 'node:timers/promises'
import type { Ledger } from './ledger.ts'
import type { Recorder, Sent } from './recorder.ts'

const TICK_MS = 10
/** Codes after which the same message is sent again with the same client id. */
const TRANSIENT = new Set(['unavailable', 'busy', 'lost'])
const RETRY_MS = 200
let loads = 0

/** Sends messages at a steady rate until `stop`, by each writer and into each channel in turn, and each again until it is acked. */
export function startLoad (ledger: Ledger, { writers, channels, rate, text = 'message' }: {
  writers: Recorder[], channels: string[], rate: number, text?: string
}) {
  const name = `load${++loads}`
  const underWay = new Set<Promise<void>>()
  const began = performance.now()
  let sent = 0
  let stopping = false

  async function deliver (writer: Recorder, channel: string, clientId: string): Promise<void> {
    for (;;) {
      const outcome: Sent = await writer.send(channel, `${text} ${clientId}`, clientId)
      ledger.note(channel, writer.port, outcome)
      if (outcome.code === null || !TRANSIENT.has(outcome.code)) return
      // A disconnected writer is not brought back any more, and a message without an ack need not be stored.
      if (stopping && !writer.open) return
      await sleep(RETRY_MS)
    }
  }

  const timer = setInterval(() => {
    for (const due = (performance.now() - began) / 1000 * rate; sent < due && !stopping; sent++) {
      const writer = writers[sent % writers.length]!
      const done: Promise<void> = deliver(writer, channels[Math.floor(sent / writers.length) % channels.length]!, `${name}-${sent}`)
        .finally(() => underWay.delete(done))
      underWay.add(done)
    }
  }, TICK_MS)

  return {
    /** Starts no further message. Resolves when every message is acked or finally refused. */
    async stop (): Promise<void> {
      stopping = true
      clearInterval(timer)
      await Promise.all(underWay)
    }
  }
}
