import { isIPv6 } from 'node:net'
import { StartError } from './start-error.ts'

/**
 * Returns the host that fastify has to pass to Node for `server.host`. Without a host, Node listens on `::`, which takes IPv4 connections
 * too, and on 0.0.0.0 if the machine has no IPv6. fastify passes only an empty host on as none.
 */
export function hostToListen (host: string): string {
  return host === '*' ? '' : host
}

/**
 * Returns an error that says in one line why the server cannot listen on this host and port. Returns an error with another cause unchanged.
 * `variable` is the one that sets the port.
 */
export function listenError (error: NodeJS.ErrnoException, host: string, port: number, variable: 'PORT' | 'METRICS_PORT'): Error {
  if (!['listen', 'bind', 'getaddrinfo'].includes(error.syscall ?? '')) return error
  const hints: Record<string, string> = {
    EADDRINUSE: `the port is in use; stop the other process or set ${variable}`,
    EACCES: `this user may not use the port; set ${variable} to 1024 or more`
  }
  const hint = hints[error.code ?? ''] ?? `${error.message}; set HOST to an address of this machine, or to * for all of them`
  return new StartError(`cannot listen on ${isIPv6(host) ? `[${host}]` : host}:${port}: ${hint}`)
}
