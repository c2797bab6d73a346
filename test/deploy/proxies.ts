import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { startProxy } from '../../scripts/services.ts'
import { createClients } from '../client.ts'
import type { Scope } from '../helper.ts'
import { replace } from './nginx.ts'

export const haproxyConfiguration = readFileSync(join(root, 'deploy/haproxy.cfg'), 'utf8')
export const caddyConfiguration = readFileSync(join(root, 'deploy/Caddyfile'), 'utf8')

export type Proxy = Awaited<ReturnType<typeof startCaddy>>

/**
 * Starts the real HAProxy with deploy/haproxy.cfg in front of two instances on this machine, until the scope ends. Replaces only what
 * depends on the machine and the texts in `changes`. `log` returns what it has logged so far.
 */
export async function startHaproxy (t: Scope, upstreams: [number, number], changes: Record<string, string> = {}) {
  const log = await receiveLog(t)
  const { port, stop } = await startProxy('haproxy', ({ port }) => replace(haproxyConfiguration, {
    ...changes,
    'bind :80': `bind 127.0.0.1:${port}`,
    'parley-1:8080': `127.0.0.1:${upstreams[0]}`,
    'parley-2:8080': `127.0.0.1:${upstreams[1]}`,
    'log stdout ': `log 127.0.0.1:${log.port} `,
    // A container or an ordinary user may not be allowed as many descriptors, nor another user.
    'maxconn 65536': 'maxconn 1000',
    'chroot /var/lib/haproxy': '',
    'user haproxy': '',
    'group haproxy': ''
  }))
  t.teardown(stop)
  return { ...toProxy(t, 'HAProxy', port), log: log.text }
}

/** Starts the real Caddy with deploy/Caddyfile, but without TLS, in front of two instances on this machine, until the scope ends. */
export async function startCaddy (t: Scope, upstreams: [number, number], changes: Record<string, string> = {}) {
  const { port, stop } = await startProxy('caddy', ({ port, folder }) => replace(caddyConfiguration, {
    ...changes,
    '\n{\n': `\n{\n\tadmin off\n\tstorage file_system ${folder}\n`,
    'chat.example.org {': `http://127.0.0.1:${port} {`,
    'parley-1:8080 parley-2:8080': upstreams.map(port => `127.0.0.1:${port}`).join(' ')
  }))
  t.teardown(stop)
  return toProxy(t, 'Caddy', port)
}

function toProxy (t: Scope, name: string, port: number) {
  return { ...createClients(t, port), name, port, origin: `http://127.0.0.1:${port}` }
}

/** Receives log lines over UDP, which HAProxy can send to without a file or a daemon. */
async function receiveLog (t: Scope) {
  let text = ''
  const socket = createSocket('udp4', line => { text += `${line}\n` })
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  t.teardown(() => { socket.close() })
  return { port: socket.address().port, text: () => text }
}
