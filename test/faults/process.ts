import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { root } from '../../scripts/root.ts'
import type { Faults, Measures, Order } from './instance.ts'
import { secret, type Scope } from '../helper.ts'
import { node } from '../node.ts'

/** Milliseconds that a start may take on a machine under full load. */
const START_TIMEOUT = 100_000

export interface StartOptions {
  env?: Record<string, string>
  /** Faults of the instance, which is then test/faults/instance.ts instead of the server itself. */
  faults?: Faults
  /** Limit of open files and sockets; undefined: the limit of the machine. */
  descriptors?: number
  /** The folder whose built server is started: that of another release. By default this checkout. */
  folder?: string
}

/** Starts the built server in a separate process on a free port, until the scope ends. Resolves when the server listens. */
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
    /** Resolves with exit code and signal when the process has ended. */
    exited,
    signal: (name: NodeJS.Signals): boolean => child.kill(name),
    async kill (): Promise<void> {
      child.kill('SIGKILL')
      await exited
    },
    /** Orders a fault over IPC. */
    order: (order: Order): boolean => child.send(order),
    async measure (): Promise<Measures> {
      child.send({ measure: true } satisfies Order)
      const [measures] = await once(child, 'message')
      return measures as Measures
    }
  }
}

export type Instance = Awaited<ReturnType<typeof startProcess>>

/** Like `startProcess`, but does not wait until the server listens: for starts that fail. */
export function launch (scope: Scope, { env = {}, faults, descriptors, folder = root }: StartOptions) {
  const program = faults ? ['--expose-gc', 'dist/test/faults/instance.js'] : ['dist/src/server.js']
  const limit = descriptors === undefined ? [] : ['bash', '-c', `ulimit -n ${descriptors} && exec "$@"`, 'bash']
  const [command, ...args] = [...limit, ...node(env.NODE_OPTIONS), ...program] as [string, ...string[]]
  const child = spawn(command, args, {
    cwd: folder,
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
    // SIGKILL ends even a process that is stopped.
    child.kill('SIGKILL')
    await exited
  })
  return { process: child as typeof child & { stdout: NonNullable<typeof child.stdout> }, output: () => text, exited }
}
