import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ClientsAnswer, ClientsOrder, ClientsTask } from './client-program.ts'
import { root } from '../../scripts/root.ts'
import type { Scope } from '../helper.ts'
import { node } from '../node.ts'

/** Starts a process with clients of @parley/client. Resolves when all of them have opened their channels. */
export async function startClients (scope: Scope, task: ClientsTask) {
  const [command, ...args] = [...node(), '--enable-source-maps', 'dist/test/faults/client-program.js']
  const child = spawn(command, args, {
    cwd: root,
    env: { PATH: process.env.PATH, CLIENTS: JSON.stringify(task) },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc']
  })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => { output += text })
  const exited = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals)
  scope.teardown(async () => {
    child.kill('SIGKILL')
    await exited
  })

  async function answer (): Promise<ClientsAnswer> {
    const failed = exited.then(code => { throw new Error(`the clients ended with ${code}: ${output.slice(-2000)}`) })
    failed.catch(() => {})
    const [answered] = await Promise.race([once(child, 'message'), failed])
    return answered as ClientsAnswer
  }

  async function order (what: ClientsOrder): Promise<ClientsAnswer> {
    child.send(what)
    return answer()
  }

  await answer()
  return {
    order,
    /** Disconnects all clients. @returns the milliseconds until the process has ended, and its exit code or the signal that ended it. */
    async leave (): Promise<{ ms: number, code: number | NodeJS.Signals }> {
      await order('leave')
      const began = performance.now()
      return { code: await exited, ms: performance.now() - began }
    }
  }
}
