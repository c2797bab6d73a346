// A program: judges a server through a proxy for each mutation, and sends each outcome to the process that has started it. It is not a part
// of the test's own process, so that server and judge share no event loop.
import { cases, judge } from '../../scripts/conformance/judge.ts'
import { byRule } from '../../scripts/conformance/report.ts'
import type { Case } from '../../scripts/conformance/stage.ts'
import { startAlteringProxy, type Alteration } from './altering-proxy.ts'
import { mutations } from './mutations.ts'
import { watch } from './watch.ts'

/** The port of the server, the tokens of users for each mutation, and those of the users without any. */
export interface Runs { port: number, tokens: string[][], plainTokens: string[], deadline: number }
/** The judge's verdict on one mutation: the rules that failed, and how. */
export interface Judged { does: string, failed: Array<{ rule: string, cases: object[] }> }

/** Runs at the same time: half of all mutations, because a case takes up to as long as a connection may be without authentication. */
const RUNS = 13
/** Cases of each that run at the same time. */
const CASES = 2
/** One in so many cases runs with a mutation that sends frames to connections of other cases. */
const BESIDE = 4

process.once('message', async ({ port, tokens, plainTokens, deadline }: Runs) => {
  const ends: Array<() => unknown> = []

  /** Judges some cases through a proxy of their own. Each run has an address of its own, because wrong passwords are limited by address. */
  async function run (address: string, tokens: string[], alteration: Alteration, only: Case[]) {
    const through = await startAlteringProxy({ teardown: end => ends.push(end) }, port, address, alteration)
    const url = `ws://127.0.0.1:${through}`
    const { outcomes } = await judge({ url, tokens, adminToken: undefined, deadline, concurrency: CASES, only })
    return byRule(outcomes).filter(({ verdict }) => verdict === 'failed').map(({ rule, cases }) => ({ rule, cases }))
  }

  // A case in which a mutation alters nothing runs as it does without the mutation, so it need not run again.
  const beside = cases.filter((_, i) => i % BESIDE === 0)
  const touched = new Map(mutations.map(mutation => [mutation, new Set(mutation.everywhere ? beside : [])]))
  await forEach(cases, async (each, i) => {
    const failed = await run(`10.0.2.${i + 1}`, plainTokens, watch(mutation => touched.get(mutation)!.add(each)), [each])
    if (failed.length > 0) throw new Error(`without a mutation: ${JSON.stringify(failed)}`)
  })
  await forEach(mutations, async (mutation, i) => {
    const failed = await run(`10.0.0.${i + 1}`, tokens[i]!, mutation.begin(), [...touched.get(mutation)!])
    process.send!({ does: mutation.does, failed } satisfies Judged)
  })
  for (const end of ends) end()
  process.disconnect()
})

async function forEach<T> (items: T[], act: (item: T, i: number) => Promise<void>): Promise<void> {
  const waiting = [...items.entries()]
  async function work (): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) await act(next[1], next[0])
  }
  await Promise.all(Array.from({ length: RUNS }, work))
}
