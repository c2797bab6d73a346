import { randomUUID } from 'node:crypto'
import { ConfigError } from '../config-error.ts'
import { TOKEN_GRACE_MS } from '../connections/session.ts'
import { testConfig } from './config.ts'
import { createConnections } from './connection.ts'
import { startLine, type Line } from './line.ts'
import { startProcess } from './process.ts'
import { createCall } from './rest.ts'
import { createScope, type Scope } from './scope.ts'
import { startHere } from './server.ts'
import type { ConfigChange, StartOptions, TestParley, TestUser } from './types.ts'
import { createUser } from './user.ts'

/** See `types.ts`. */
export async function startParley (options: StartOptions = {}): Promise<TestParley> {
  const scope = createScope()
  try {
    return { ...await start(scope, options), close: scope.close, [Symbol.asyncDispose]: scope.close }
  } catch (error) {
    await scope.close()
    throw error
  }
}

async function start (scope: Scope, options: StartOptions): Promise<Omit<TestParley, 'close' | typeof Symbol.asyncDispose>> {
  const { config = {}, databaseUrl, redisUrl, inProcess = true, onLine = () => {} } = options
  const database = databaseUrl === undefined ? undefined : await lead(scope, databaseUrl, 5432, 'databaseUrl')
  const bus = redisUrl === undefined ? undefined : await lead(scope, redisUrl, 6379, 'redisUrl')
  const whole: ConfigChange = {
    ...config,
    database: { data_dir: 'memory://', ...config.database, ...database && { url: database.url } },
    redis: { prefix: `test-${randomUUID()}:`, ...config.redis, ...bus && { url: bus.url } }
  }
  const server = await (inProcess ? startHere : startProcess)(scope, { config: whole, onLine })
  const line = await startLine(scope, server.port)
  const connections = createConnections(scope, line.port)
  const call = createCall(`http://127.0.0.1:${server.port}`)
  let advanced = 0
  const now = (): number => performance.now() + advanced

  function busLine (): Line {
    if (!bus) throw new Error('without redisUrl there is no bus that could be lost')
    return bus.line
  }

  async function turnDatabase (isOn: boolean): Promise<void> {
    if (!database) return server.turnDatabase(isOn)
    database.line.down(!isOn)
    if (!isOn) database.line.cut()
  }

  async function advance (ms: number): Promise<void> {
    if (!(ms >= 0)) throw new RangeError('the clock cannot go back')
    advanced += ms
    await server.advance(ms)
  }

  return {
    url: line.url,
    users: async <const Names extends readonly string[]>(...names: Names) => {
      const people = await Promise.all(names.map(name => server.register(name)))
      return people.map(person => createUser(person, { call, connections, now })) as { [I in keyof Names]: TestUser }
    },
    connect: () => connections.connect(),
    call,
    cut: line.cut,
    stall: line.stall,
    halfClose: line.halfClose,
    delay: line.delay,
    refuseConnections: (isRefused = true) => line.down(isRefused),
    loseBus () {
      busLine().down(true)
      busLine().cut()
    },
    regainBus: () => busLine().down(false),
    stopDatabase: () => turnDatabase(false),
    startDatabase: () => turnDatabase(true),
    advance,
    expireTokens: () => advance(testConfig(config).authentication.token_expiry * 1000 + TOKEN_GRACE_MS)
  }
}

/** Starts a line to the server of a URL. @returns it with the URL over it. @throws ConfigError for a URL with TLS, and for no URL. */
async function lead (scope: Scope, text: string, defaultPort: number, option: string): Promise<{ url: string, line: Line }> {
  if (!URL.canParse(text)) throw new ConfigError(`${option} must be a URL`)
  const url = new URL(text)
  const isPlain = /^(postgres|postgresql|redis):$/.test(url.protocol) && !/^(require|verify-)/.test(url.searchParams.get('sslmode') ?? '')
  if (!isPlain) {
    throw new ConfigError(`${option} must lead to one server, without TLS, because its connections go over a line that can be cut`)
  }
  const line = await startLine(scope, Number(url.port) || defaultPort, url.hostname.replace(/^\[|\]$/g, ''))
  url.hostname = '127.0.0.1'
  url.port = String(line.port)
  return { url: url.href, line }
}
