import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { resolvesWithin } from '../deadline.ts'
import type { Scope } from './scope.ts'
import type { TestServer, TestServerOptions } from './server.ts'

/** An order of the test's process to the server's: to start, or to call a function of its `TestServer`. */
export type Order =
  | { id: number, name: 'start', value: TestServerOptions['config'] }
  | { [K in Acts]: { id: number, name: K, value: Parameters<TestServer[K]>[0] } }[Acts]
type Acts = Exclude<keyof TestServer, 'port'>

/** A report of the server's process: the outcome of an order, or a line of its log. */
export type Report = { id: number, result?: unknown, error?: string } | { line: string }

/** Milliseconds that an order may take, the start among them. */
const TIMEOUT = 120_000
/** Milliseconds that the process may take to close its server before it is killed. */
const EXIT_TIMEOUT = 30_000

/** Starts a server in a process of its own, which ends with the scope. */
export async function startProcess (scope: Scope, { config, onLine }: TestServerOptions): Promise<TestServer> {
  const child = fork(join(import.meta.dirname, 'child.js'), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
  const exited = once(child, 'exit')
  scope.teardown(async () => {
    // The process closes its server when it loses its parent.
    if (child.connected) child.disconnect()
    if (!await resolvesWithin(exited, EXIT_TIMEOUT)) child.kill('SIGKILL')
    await exited
  })
  const ask = listen(child, onLine)
  const port = await ask('start', config) as number
  return {
    port,
    register: async name => await ask('register', name) as Awaited<ReturnType<TestServer['register']>>,
    turnDatabase: async isOn => { await ask('turnDatabase', isOn) },
    advance: async ms => { await ask('advance', ms) }
  }
}

interface Waiting { resolve (result: unknown): void, reject (error: Error): void }

/** Returns a function that gives the process an order and waits for its outcome. */
function listen (child: ChildProcess, onLine: (line: string) => void) {
  const waiting = new Map<number, Waiting>()
  let orders = 0
  child.on('message', (report: Report) => {
    if ('line' in report) return onLine(report.line)
    const asked = waiting.get(report.id)
    if (report.error === undefined) asked?.resolve(report.result)
    else asked?.reject(new Error(report.error))
  })
  child.on('exit', code => {
    for (const { reject } of waiting.values()) reject(new Error(`the process of the server has ended with ${code}`))
  })

  return async function ask (name: Order['name'], value: unknown): Promise<unknown> {
    const id = ++orders
    let timer: NodeJS.Timeout | undefined
    try {
      return await new Promise((resolve, reject) => {
        timer = setTimeout(() => reject(new Error(`the process of the server has not done ${name} within ${TIMEOUT} ms`)), TIMEOUT)
        waiting.set(id, { resolve, reject })
        child.send({ id, name, value }, error => { if (error) reject(error) })
      })
    } finally {
      clearTimeout(timer)
      waiting.delete(id)
    }
  }
}
