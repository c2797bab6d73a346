import { once, setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import type { Recorder } from './recorder.ts'

/** Milliseconds over which clients spread their return if the server told them no delay. */
const JITTER_MS = 1000

/** The delay, in milliseconds, that the close frame told the client to wait before it returns; NaN if it told none. */
export function toldDelay ({ ended }: Recorder): number {
  return ended?.code === 1012 ? Number(/^service restart retry_after_ms=(\d+)$/.exec(ended.reason)?.[1]) : NaN
}

/** Reconnects clients to this port whenever their connection ends, after the delay that they were told and until they succeed. */
export function keepConnected (clients: Recorder[], port: number) {
  const stopping = new AbortController()
  const { signal } = stopping
  setMaxListeners(0, signal)
  let [returns, longestAbsence] = [0, 0]

  async function keep (client: Recorder): Promise<void> {
    while (!signal.aborted) {
      if (client.open) {
        await once(client.socket, 'close', { signal }).catch(() => { /* stopped */ })
        continue
      }
      const began = performance.now()
      while (!client.ready && !signal.aborted) {
        await sleep(toldDelay(client) || Math.random() * JITTER_MS)
        await client.connect(port).then(() => { returns++ }, () => client.drop())
      }
      longestAbsence = Math.max(longestAbsence, performance.now() - began)
    }
  }

  const kept = Promise.all(clients.map(keep))
  return {
    /** Number of successful reconnections of all clients. */
    get returns () { return returns },
    /** Milliseconds, including the delay that the client was told to wait. */
    get longestAbsence () { return longestAbsence },
    /** Waits until all clients are back, then stops reconnecting them. */
    async stop (within = 30_000): Promise<void> {
      try {
        await eventually(() => clients.every(({ ready }) => ready), within)
      } finally {
        stopping.abort()
        await kept
      }
    }
  }
}
