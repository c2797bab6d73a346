import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { end, findPrograms, freePort, launch, unprivileged, untilListens } from '../scripts/service.ts'
import type { Scope } from './helper.ts'

type PoolMode = 'session' | 'transaction' | 'statement'

/**
 * Starts a PgBouncer before the PostgreSQL server of a database URL, with PgBouncer's defaults except for `settings`.
 * @returns the URL of the same database through PgBouncer.
 */
export async function startPgBouncer (
  scope: Scope, databaseUrl: string, mode: PoolMode, settings: Record<string, string> = {}
): Promise<string> {
  const server = new URL(databaseUrl)
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'parley-pgbouncer-'))
  chmodSync(folder, 0o755)
  writeFileSync(join(folder, 'users.txt'), `"${server.username}" ""\n`)
  const all = {
    listen_addr: '127.0.0.1', listen_port: String(port), unix_socket_dir: '',
    auth_type: 'trust', auth_file: join(folder, 'users.txt'), pool_mode: mode, ...settings
  }
  writeFileSync(join(folder, 'pgbouncer.ini'), [
    '[databases]', `* = host=${server.hostname} port=${server.port}`,
    '[pgbouncer]', ...Object.entries(all).map(([name, value]) => `${name} = ${value}`)
  ].join('\n'))
  const program = join(findPrograms('pgbouncer')[0]!, 'pgbouncer')
  const service = launch('PgBouncer', program, [join(folder, 'pgbouncer.ini')], folder, 'SIGINT', unprivileged())
  scope.teardown(() => end(service))
  await untilListens(service, port)
  server.port = String(port)
  return server.href
}
