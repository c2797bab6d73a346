import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../../scripts/root.ts'
import type { Faults, Measures, Order } from './instance.ts'
import { secret, type Scope } from '../helper.ts'
import { node } from '../node.ts'

/** Milliseconds, on a machine under full load. */
const START_TIMEOUT = 100_000

export interface StartOptions {
  env?: Record<string, string>
  /** Orders faults; the instance is then test/faults/instance.ts instead of the server itself. */
  faults?: Faults
  /** Files and sockets that it may have open; any number, if not told. */
  descriptors?: number
}

/** Starts the server, as it was built, in a process of its own on a free port; killed when the scope ends. Resolves when it listens. */
export async function startProcess (scope: Scope, options: StartOptions) {
  const { process: child, output, exited } = launch(scope, options)
  const port = await new Promise<number>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`did not start: ${output()}`)), START_TIMEOUT)
    exited.then(() => {
      clearTimeout(timer)
      reject(new Error(`ended at its start: ${output()}`))
    })
    child.stdout.on('data', () => {
      const [, found] = /listening on \S+:(\d+)/.exec(output()) ?? []
      if (!found) return
      clearTimeout(timer)
      resolve(Number(found))
    })
  })

  return {
    port,
    pid: child.pid!,
    output,
    /** How it ended. */
    exited,
    signal: (name: NodeJS.Signals): boolean => child.kill(name),
    async kill (): Promise<void> {
      child.kill('SIGKILL')
      await exited
    },
    /** Orders a fault. */
    order: (order: Order): boolean => child.send(order),
    async measure (): Promise<Measures> {
      child.send({ measure: true } satisfies Order)
      const [measures] = await once(child, 'message')
      return measures as Measures
    }
  }
}

export type Instance = Awaited<ReturnType<typeof startProcess>>

/** As `startProcess`, without waiting: for starts that fail. */
export function launch (scope: Scope, { env = {}, faults, descriptors }: StartOptions) {
  const program = faults ? ['--expose-gc', 'dist/test/faults/instance.js'] : ['--enable-source-maps', 'dist/src/server.js']
  const limit = descriptors === undefined ? [] : ['bash', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'bash']
  const [command, ...args] = [...limit, ...node(env.NODE_OPTIONS), ...program] as [string, ...string[]]
  const child = spawn(command, args, {
    cwd: root,
    env: {
      PATH: process.env.PATH, PORT: '0', HOST: '127.0.0.1', JWT_SECRET: secret, LOG_LEVEL: 'warn', LIMITS_EVENT_LOOP_DELAY: '0', ...env,
      ...process.env.NODE_V8_COVERAGE && { NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE },
      ...faults && { FAULTS: JSON.stringify(faults) }
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let text = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (more: string) => { text += more })
  const exited = once(child, 'close').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }))
  scope.teardown(async () => {
    // One that is stopped takes this signal too.
    child.kill('SIGKILL')
    await exited
  })
  return { process: child as typeof child & { stdout: NonNullable<typeof child.stdout> }, output: () => text, exited }
}
