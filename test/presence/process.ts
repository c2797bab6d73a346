import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { RedisPresenceDeps } from '../../src/presence/redis.ts'
import { eventually } from '../eventually.ts'
import { node } from '../node.ts'
import type { Test } from '../tap.ts'

/**
 * Starts a presence in a separate process, which ends with the test. Resolves when it has announced its users: all of them, or `announced`
 * if others are online elsewhere.
 */
export async function openProcess (
  test: Test, settings: Pick<RedisPresenceDeps, 'url' | 'prefix' | 'lease' | 'renew' | 'grace'>, users: string[], announced = users.length
): Promise<{ child: ChildProcess, told: string[] }> {
  const file = fileURLToPath(new URL('instance.js', import.meta.url))
  const [command, ...args] = [...node(), file, JSON.stringify(settings), ...users]
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  test.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  })
  const told: string[] = []
  let rest = ''
  child.stdout!.on('data', data => {
    const lines = (rest + data).split('\n')
    rest = lines.pop()!
    told.push(...lines)
  })
  await eventually(() => told.length >= announced, 20_000)
  return { child, told }
}
