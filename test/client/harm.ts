import { setTimeout as sleep } from 'node:timers/promises'
import type { Line } from '../../src/testing/line.ts'

/** The share of the connections that each harm meets. */
const SHARES = { cut: 0.15, halfClose: 0.1, stall: 0.06 } satisfies { [How in keyof Line]?: number }

/** Cuts, half-closes and stalls some connections of these lines every `ms` milliseconds, until `stop`. */
export function startHarm (lines: Line[], ms: number) {
  let harmed = 0
  let isBusy = true
  const harming = (async () => {
    while (isBusy) {
      await sleep(ms)
      for (const line of lines) {
        for (const [how, share] of Object.entries(SHARES)) {
          line[how as keyof typeof SHARES](() => {
            const isChosen = Math.random() < share
            if (isChosen) harmed++
            return isChosen
          })
        }
      }
    }
  })()
  return {
    /** @returns how often a connection was harmed until now. */
    count: (): number => harmed,
    async stop (): Promise<void> {
      isBusy = false
      await harming
    }
  }
}
