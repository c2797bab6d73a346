import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Child {
  process: ChildProcess
  pid: number
  /** Resolves when the process ends, with a predicate such as "ended with SIGKILL". */
  ended: Promise<string>
  stop (): Promise<void>
}

export interface StartOptions {
  env?: Record<string, string>
  cwd?: string
  ipc?: boolean
}

/** How many of the last characters of a child's error output are shown. */
const STDERR_SHOWN = 2000

export type Processes = ReturnType<typeof createProcesses>

/**
 * Starts and ends the processes of a run. Each has a process group of its own, so that Ctrl-C reaches only the benchmark, which then ends
 * them by SIGKILL, because they hold no data worth keeping.
 */
export function createProcesses () {
  const running = new Set<Child>()

  return {
    /** Starts a module, named relative to this folder and without extension. Its environment is `env`, PATH, HOME and NODE_ENV. */
    start (module: string, { env = {}, cwd, ipc = false }: StartOptions = {}): Child {
      const file = join(import.meta.dirname, `${module}.js`)
      const child = spawn(process.execPath, [...process.execArgv, file], {
        ...cwd !== undefined && { cwd },
        env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'pipe', 'pipe', ...ipc ? ['ipc' as const] : []],
        detached: true
      })
      let stderr = ''
      // The output is discarded unless a caller reads it, because a full pipe would stall the child.
      child.stdout!.resume()
      child.stderr!.setEncoding('utf8').on('data', (text: string) => { stderr = (stderr + text).slice(-STDERR_SHOWN) })
      const ended = once(child, 'close').then(([code, signal]) => {
        running.delete(self)
        return `ended with ${signal ?? code}${stderr && `:\n${stderr.trim()}`}`
      }, (error: Error) => `could not be started: ${error.message}`)
      const self: Child = {
        process: child,
        pid: child.pid ?? 0,
        ended,
        async stop () {
          child.kill('SIGKILL')
          await ended
        }
      }
      running.add(self)
      return self
    },

    async stopAll (): Promise<void> {
      await Promise.all([...running].map(child => child.stop()))
    }
  }
}
