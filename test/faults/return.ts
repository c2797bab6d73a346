import { once, setMaxListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { eventually } from '../eventually.ts'
import type { Recorder } from './recorder.ts'

/** Milliseconds over which a client that was told nothing spreads its return. */
const JITTER_MS = 1000

/** What a client was told on being sent away, in milliseconds; NaN where it was not. */
export function toldDelay ({ ended }: Recorder): number {
  return ended?.code === 1012 ? Number(/^service restart retry_after_ms=(\d+)$/.exec(ended.reason)?.[1]) : NaN
}

/** Brings clients back whenever they are sent away or cut, to this port: after as long as they were told, and until they are in. */
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
    /** How often any of them came back. */
    get returns () { return returns },
    /** Milliseconds, what it was told to wait included. */
    get longestAbsence () { return longestAbsence },
    /** Waits until all are there. */
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
