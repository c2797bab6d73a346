import { createStores } from '../../src/domain.ts'
import { AppError } from '../../src/errors.ts'
import { createAuth } from '../../src/services/auth.ts'
import { loadConfig } from '../../src/config.ts'
import { openDatabase } from '../../src/store/client.ts'
import { refreshSuite, type Instance, type Setting } from '../contracts/refresh.ts'
import { redis, startServer, type Server } from '../helper.ts'
import { t, type Test } from '../tap.ts'

t.setTimeout(120_000)

refreshSuite(t, 'PostgreSQL, at two instances', async t => {
  const config = { redis: redis() }
  const a = await startServer(t, { config })
  const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
  return { instances: [overRest(a), overRest(b)], database: a.database, register: () => a.register() }
})

refreshSuite(t, 'the embedded database', openEmbedded)

function overRest (server: Server): Instance {
  async function ask (method: string, path: string, options: Parameters<Server['call']>[2]) {
    const { status, body } = await server.call(method, path, options)
    if (status >= 400) throw new AppError(body.code)
    return body
  }
  return {
    refresh: token => ask('POST', '/api/auth/refresh', { body: { refresh_token: token } }),
    logout: token => ask('POST', '/api/auth/logout', { body: { refresh_token: token } }),
    check: token => ask('GET', '/api/me', { token })
  }
}

/** Only one process can use the embedded database, so both instances are the same service. */
async function openEmbedded (t: Test): Promise<Setting> {
  const { config } = loadConfig({})
  const database = await openDatabase({ ...config.database, data_dir: 'memory://' })
  t.teardown(database.close)
  await database.migrate()
  const tokens = new Map<string, unknown>()
  const auth = createAuth({
    ...createStores(database),
    passwords: { hash: async () => 'x', verify: async () => true },
    throttle: { register: async () => {}, attempt: address => ({ address, admit: async () => {}, fail: async () => {}, succeed: async () => {} }) },
    sign: claims => {
      const token = `token ${tokens.size}`
      tokens.set(token, claims)
      return token
    },
    verify: token => tokens.get(token),
    config: config.authentication,
    onLoginRevoked: () => {}
  })
  const instance: Instance = { refresh: auth.refresh, logout: auth.logout, check: auth.verifyAccess }
  let serial = 0
  return {
    instances: [instance, instance],
    database,
    register: () => auth.register({ email: `user${++serial}@example.org`, name: 'user', password: 'password' }, '127.0.0.1')
  }
}
