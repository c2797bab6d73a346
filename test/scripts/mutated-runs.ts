// A program: judges a server through a proxy for each mutation, and sends each outcome to the process that has started it. It is not a part
// of the test's own process, so that server and judge share no event loop.
import { judge } from '../../scripts/conformance/judge.ts'
import { byRule } from '../../scripts/conformance/report.ts'
import { startAlteringProxy } from './altering-proxy.ts'
import { mutations } from './mutations.ts'

/** The port of the server, and for each mutation the tokens of its users. */
export interface Runs { port: number, tokens: string[][], deadline: number }
/** The judge's verdict on one mutation: the rules that failed, and how. */
export interface Judged { does: string, failed: Array<{ rule: string, cases: object[] }> }

/** Mutations that are judged at the same time: half of all, because each takes as long as a connection may be without authentication. */
const RUNS = 13
/** Cases of each that run at the same time. */
const CASES = 2

process.once('message', async ({ port, tokens, deadline }: Runs) => {
  const ends: Array<() => unknown> = []
  const waiting = [...mutations.entries()]
  async function work (): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [i, { does, begin }] = next
      // Each run has an address of its own, because wrong passwords are limited by address.
      const through = await startAlteringProxy({ teardown: end => ends.push(end) }, port, `10.0.0.${i + 1}`, begin())
      const { outcomes } = await judge({ url: `ws://127.0.0.1:${through}`, tokens: tokens[i]!, adminToken: undefined, deadline, concurrency: CASES })
      const failed = byRule(outcomes).filter(({ verdict }) => verdict === 'failed').map(({ rule, cases }) => ({ rule, cases }))
      process.send!({ does, failed } satisfies Judged)
    }
  }
  await Promise.all(Array.from({ length: RUNS }, work))
  for (const end of ends) end()
  process.disconnect()
})
