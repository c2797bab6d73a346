import { buildApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config.ts'
import type { Config } from '../../src/config-schema.ts'
import { createBroker, createPresence } from '../../src/drivers.ts'
import { createLogger } from '../../src/logger.ts'
import { listenError } from '../../src/process/listen.ts'
import { readSecret } from '../../src/process/secret.ts'
import { openDatabase } from '../../src/store/client.ts'
import { fullSize, type DemoSize } from './community.ts'
import { fillDemo, type FillOptions } from './fill.ts'
import { startLiving, type Living } from './living.ts'
import { makePeople } from './people.ts'
import { createRandom } from './random.ts'

/** The demo listens on this machine only, because everybody knows its password. */
const HOST = '127.0.0.1'

export interface DemoOptions {
  /** The folder of the embedded database, or `memory://`. It is filled if it is empty, otherwise served as it is. */
  directory: string
  /** 0, the default, takes any free port. */
  port?: number
  /** Default: 1. */
  seed?: number
  /** When the history ends, Unix milliseconds. Default: now. */
  now?: number
  size?: DemoSize
  /** Nobody comes, goes or talks. */
  isStill?: boolean
  onProgress?: FillOptions['onProgress']
}

/** A running demo. */
export interface Demo extends AsyncDisposable {
  /** `http://127.0.0.1:<port>` */
  url: string
  /** Whether the database was filled by this start. */
  isNew: boolean
  close (): Promise<void>
}

/**
 * Fills an embedded database with the community of the demo and serves it, with scripted people who talk. It reads no environment
 * variables.
 * @throws DatabaseError if the directory cannot be used, StartError if the port cannot.
 */
export async function startDemo (
  { directory, port = 0, seed = 1, now = Date.now(), size = fullSize, isStill = false, onProgress = () => {} }: DemoOptions
): Promise<Demo> {
  const config = configOf(directory, port)
  const logger = createLogger(config.log.level, process.stderr)
  /** Functions that close what has been opened, called in reverse order. */
  const open: Array<() => Promise<unknown>> = []
  async function close (): Promise<void> {
    for (const end of open.splice(0).reverse()) await end()
  }
  try {
    const database = await openDatabase(config.database, logger)
    open.push(database.close)
    await database.migrate()
    const isNew = await fillDemo(database, { seed, now, size, onProgress })
    const broker = createBroker(config, logger)
    open.push(broker.close)
    const presence = createPresence(config, broker, logger)
    open.push(presence.close)
    const app = await buildApp({ config, database, broker, presence, jwtSecret: readSecret(config, false), logger })
    open.push(() => app.close())
    await app.listen({ host: HOST, port }).catch((error: NodeJS.ErrnoException) => { throw listenError(error, HOST, port, 'PORT') })
    const url = `http://${HOST}:${(app.server.address() as { port: number }).port}`
    if (!isStill) open.push(live(url, seed, size).stop)
    return { url, isNew, close, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}

function live (url: string, seed: number, size: DemoSize): Living {
  const random = createRandom(seed)
  return startLiving({ url, people: makePeople(random.fork('people'), size.people), random: random.fork('living') })
}

/** The defaults, without what a busy machine would make the server refuse while it fills its index. */
function configOf (directory: string, port: number): Config {
  const { config } = loadConfig({ LIMITS_EVENT_LOOP_DELAY: '0', LOG_LEVEL: 'warn' })
  return { ...config, server: { ...config.server, host: HOST, port }, database: { ...config.database, data_dir: directory } }
}
