import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

export interface Child {
  process: ChildProcess
  pid: number
  /** What has been the end of it, as the end of a sentence. */
  ended: Promise<string>
  stop (): Promise<void>
}

export interface StartOptions {
  env?: Record<string, string>
  cwd?: string
  ipc?: boolean
}

/** Characters of a child's last words that are shown. */
const STDERR_SHOWN = 2000

export type Processes = ReturnType<typeof createProcesses>

/**
 * The processes that a run has started. Each is in a group of its own, so that Ctrl-C reaches the benchmark alone, which then ends them;
 * by SIGKILL, because nothing they hold is worth keeping.
 */
export function createProcesses () {
  const running = new Set<Child>()

  return {
    /** Starts a module of this project, named from here and without extension. Its environment is `env` and nothing of ours but PATH. */
    start (module: string, { env = {}, cwd, ipc = false }: StartOptions = {}): Child {
      const file = join(import.meta.dirname, `${module}.js`)
      const child = spawn(process.execPath, [...process.execArgv, file], {
        ...cwd !== undefined && { cwd },
        env: { PATH: process.env.PATH, HOME: process.env.HOME, NODE_ENV: 'production', ...env },
        stdio: ['ignore', 'pipe', 'pipe', ...ipc ? ['ipc' as const] : []],
        detached: true
      })
      let stderr = ''
      // Read by whoever cares, and by nobody else: a full pipe would stall the child.
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
