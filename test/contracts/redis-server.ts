import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createConnection, createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export interface RedisServer {
  url: string
  port: number
  signal (signal: NodeJS.Signals): void
  /** Kills the server with SIGKILL; its data is lost. */
  kill (): Promise<void>
  /** Starts an empty server on the same port. */
  start (): Promise<void>
}

/** Starts an empty Redis server that writes no files. `args` are added to its command line. */
export async function startRedis (args: string[] = []): Promise<RedisServer> {
  const server = await reserveRedis(args)
  await server.start()
  return server
}

/** Like `startRedis`, but only reserves a port: the server runs once `start` has been called. */
export async function reserveRedis (args: string[] = []): Promise<RedisServer> {
  const port = await freePort()
  let child: ChildProcess | undefined

  return {
    port,
    url: `redis://127.0.0.1:${port}`,
    signal (signal) { child!.kill(signal) },
    async start () {
      const options = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', '/tmp']
      child = spawn('redis-server', [...options, ...args], { stdio: 'ignore' })
      await reachable(port)
    },
    async kill () {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    }
  }
}

export async function freePort (): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function reachable (port: number): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const socket = createConnection(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (Date.now() > deadline) throw error
      await sleep(20)
    } finally {
      socket.destroy()
    }
  }
}
