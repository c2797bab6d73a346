import { end, freePort, untilListens, type Service } from '../../scripts/service.ts'
import { launchRedis } from '../../scripts/services.ts'
import type { Scope } from '../helper.ts'

export interface RedisServer {
  url: string
  port: number
  signal (signal: NodeJS.Signals): void
  /** Kills the server with SIGKILL; its data is lost. */
  kill (): Promise<void>
  /** Starts an empty server on the same port. */
  start (): Promise<void>
}

/** Starts an empty Redis server that writes no files and ends with the test. `args` are added to its command line. */
export async function startRedis (scope: Scope, args: string[] = []): Promise<RedisServer> {
  const server = await reserveRedis(scope, args)
  await server.start()
  return server
}

/** Like `startRedis`, but only reserves a port: the server runs once `start` has been called. */
export async function reserveRedis (scope: Scope, args: string[] = []): Promise<RedisServer> {
  const port = await freePort()
  let service: Service | undefined
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal (signal) { service!.child.kill(signal) },
    async start () {
      service = launchRedis(port, args)
      await untilListens(service, port)
    },
    async kill () { if (service) await end(service) }
  }
  scope.teardown(server.kill)
  return server
}
