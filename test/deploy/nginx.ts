import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../../scripts/root.ts'
import { startProxy as launchProxy } from '../../scripts/services.ts'
import { createClients } from '../client.ts'
import type { Scope } from '../helper.ts'

export const configuration = readFileSync(join(root, 'deploy/nginx.conf'), 'utf8')

/**
 * Starts the real nginx with deploy/nginx.conf in front of two instances on this machine, until the scope ends. Replaces only what
 * depends on the machine (its port, the instances' addresses, the paths that it writes to) and the texts in `changes`.
 */
export async function startProxy (t: Scope, upstreams: [number, number], changes: Record<string, string> = {}) {
  const { port, folder, stop } = await launchProxy('nginx', ({ port, folder }) => replace(configuration, {
    'listen 80 ': `listen ${port} `,
    'server parley-1:8080 ': `server 127.0.0.1:${upstreams[0]} `,
    'server parley-2:8080 ': `server 127.0.0.1:${upstreams[1]} `,
    'pid /run/nginx.pid;': `pid ${folder}/nginx.pid;`,
    'error_log /var/log/nginx/error.log;': `error_log ${folder}/error.log;`,
    'access_log /var/log/nginx/access.log ': `access_log ${folder}/access.log `,
    'http {': `http {
      client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
      fastcgi_temp_path ${folder}/fastcgi; scgi_temp_path ${folder}/scgi; uwsgi_temp_path ${folder}/uwsgi;`,
    // A container or an ordinary user may not be allowed as many descriptors.
    'worker_rlimit_nofile 131072;': '',
    'worker_connections 65536;': 'worker_connections 4096;',
    ...changes
  }))
  t.teardown(stop)
  return {
    ...createClients(t, port),
    port,
    origin: `http://127.0.0.1:${port}`,
    /** The access log so far. */
    log: (): string => readFileSync(join(folder, 'access.log'), 'utf8')
  }
}

/** Throws if a text is missing, because the proxy would then run with a setting that the test meant to replace. */
export function replace (text: string, changes: Record<string, string>): string {
  return Object.entries(changes).reduce((text, [from, to]) => {
    if (!text.includes(from)) throw new Error(`the proxy's configuration has no ${from}`)
    return text.replaceAll(from, () => to)
  }, text)
}
