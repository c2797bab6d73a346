import { once } from 'node:events'
import { chmodSync, lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { json } from 'node:stream/consumers'
import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client'
import { AppError } from '../errors.ts'
import { StartError } from './start-error.ts'

/** Milliseconds that a worker waits for the metrics of another one. */
const PATIENCE = 5000

/**
 * Joins the workers that share `port` under the primary of another program, such as PM2, which passes no messages between them. Each worker
 * offers its metrics on a Unix socket in a folder of theirs.
 * @returns the sum of all workers' metrics, which rejects with `unavailable` if a worker does not answer: without it, the sum would look
 *   like a loss.
 * @throws StartError when another user owns the folder.
 */
export async function joinPeers (registry: Registry, port: number): Promise<{ text: () => Promise<string>, close: () => Promise<void> }> {
  const folder = join(tmpdir(), `parley-${process.getuid?.()}-${process.ppid}-${port}`)
  const name = `${process.pid}.sock`
  makePrivate(folder)
  // A process that was killed has left its socket, and this one may have its id.
  rmSync(join(folder, name), { force: true })
  const server = createServer(async socket => {
    socket.on('error', () => {})
    socket.end(JSON.stringify(await registry.getMetricsAsJSON()))
  })
  // Otherwise the primary would listen, and would give each connection to any of its workers.
  server.listen({ path: join(folder, name), exclusive: true })
  await once(server, 'listening')
  server.unref()

  return {
    async text () {
      const others = readdirSync(folder).filter(file => file !== name)
      const answers = await Promise.all(others.map(file => metricsOf(join(folder, file))))
      const all = [await registry.getMetricsAsJSON(), ...answers.filter(metrics => metrics !== undefined)]
      return AggregatorRegistry.aggregate(all).metrics()
    },
    async close () {
      server.close()
      await once(server, 'close')
    }
  }
}

/** Resolves with the metrics of the worker that listens here, and with undefined if it has ended. */
async function metricsOf (path: string): Promise<MetricObject[] | undefined> {
  const socket = connect(path)
  socket.setTimeout(PATIENCE, () => socket.destroy(new Error('no answer')))
  try {
    return await json(socket) as MetricObject[]
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ECONNREFUSED' && code !== 'ENOENT') throw new AppError('unavailable')
    rmSync(path, { force: true })
    return undefined
  }
}

/** Makes a folder that only this user may enter. Everybody may write to the folder above it, and may have made one of this name. */
function makePrivate (folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const { uid } = lstatSync(folder)
  if (uid !== process.getuid?.()) throw new StartError(`${folder}: belongs to another user; remove it`)
  chmodSync(folder, 0o700)
}
