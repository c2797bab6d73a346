import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fastify from 'fastify'
import { root } from '../scripts/root.ts'
import { loadConfig } from '../src/config.ts'
import type { Config } from '../src/config-schema.ts'
import { ConfigError } from '../src/config-error.ts'
import { t, type Test } from './tap.ts'

/** Writes a configuration file with this text. @returns an environment whose `PARLEY_CONFIG` is the path of the file. */
function file (t: Test, text: string): { PARLEY_CONFIG: string } {
  const folder = t.testdir()
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'websocket.tusk')
  writeFileSync(path, text)
  return { PARLEY_CONFIG: path }
}

/** Checks that the configuration is refused with an error of one line that contains all of these words. */
function refuses (t: Test, env: NodeJS.ProcessEnv, ...words: string[]): ConfigError {
  let error: unknown
  try {
    loadConfig(env)
  } catch (caught) {
    error = caught
  }
  if (!(error instanceof ConfigError)) throw new Error('no ConfigError', { cause: error })
  for (const word of words) t.ok(error.message.includes(word), `“${word}” in: ${error.message}`)
  t.notMatch(error.message, /\n/, 'the error is one line')
  return error
}

const guide = {
  server: { host: '*', port: 8080, max_connections: 10_000 },
  authentication: { enabled: true, token_expiry: 3600, refresh_token_expiry: 86_400 },
  channels: { default_room: 'general', max_channels_per_user: 50, max_users_per_channel: 1000 },
  performance: { heartbeat_interval: 30, connection_timeout: 300, message_queue_size: 1000 },
  redis: { pool_size: 10, pool_timeout: 5 }
}

const other = {
  server: { host: '127.0.0.1', port: 9000, max_connections: 7 },
  authentication: { enabled: false, token_expiry: 60, refresh_token_expiry: 120 },
  channels: { default_room: 'lobby', max_channels_per_user: 0, max_users_per_channel: 3 },
  performance: { heartbeat_interval: 5, connection_timeout: 50, message_queue_size: 10 },
  redis: { url: 'redis://localhost:6379/1', pool_size: 2, pool_timeout: 1 }
}

/** Writes these sections and their keys as YAML blocks. */
function block (sections: object, indent = ''): string {
  return Object.entries(sections).map(([key, value]) =>
    typeof value === 'object' ? `${indent}${key}:\n${block(value, `${indent}  `)}` : `${indent}${key}: ${JSON.stringify(value)}\n`).join('')
}

t.test('without a file or environment variables every key has its default, and the guide\'s keys have the guide\'s defaults', async t => {
  const { config } = loadConfig(file(t, ''))
  t.match(config, guide)
  t.equal(config.redis.url, undefined, 'Redis is not used')
  t.equal(config.database.url, undefined, 'the embedded database is used')
  t.match(config, { channels: { max_message_length: 4000, resume_limit: 1000, create_on_join: true } })
  t.match(config, { performance: { max_buffered: 1_048_576, pong_timeout: 10 } })
  t.match(config, { server: { max_payload: 65_536, keep_alive_timeout: 72 }, authentication: { timeout: 10 } })
  t.equal(config.database.data_dir, './data')
})

t.test('config/websocket.tusk of the project sets every key to its default', async t => {
  const { config } = loadConfig({ PARLEY_CONFIG: join(root, 'config/websocket.tusk') })
  t.same(config, loadConfig(file(t, '')).config)
})

t.test('every key of the guide is read from the file, under `websocket:` or at the top level', async t => {
  t.match(loadConfig(file(t, block({ websocket: other }))).config, other)
  t.match(loadConfig(file(t, block(other))).config, other)
})

t.test('keys and sections that the file omits or leaves empty keep their defaults', async t => {
  for (const text of ['websocket:\n', 'server:\n', 'server:\n  port:\n', '# nothing\n']) {
    t.same(loadConfig(file(t, text)).config, loadConfig(file(t, '')).config, JSON.stringify(text))
  }
})

t.test('the environment overrides the file, and the file overrides the default', async t => {
  const { config, entries } = loadConfig({ ...file(t, 'server:\n  port: 9000\n  host: "::1"\n'), PORT: '9001' })
  t.match(config.server, { port: 9001, host: '::1', max_connections: 10_000 })
  const sources = Object.fromEntries(entries.map(({ key, source }) => [key, source]))
  t.equal(sources['server.port'], 'PORT')
  t.match(sources['server.host'], /websocket\.tusk$/)
  t.equal(sources['server.max_connections'], 'default')
})

t.test('every environment variable sets its key', async t => {
  const names: Array<[string, string, keyof Config, string, unknown]> = [
    ['PORT', '1', 'server', 'port', 1],
    ['WEBSOCKET_PORT', '1', 'server', 'port', 1],
    ['SERVER_PORT', '1', 'server', 'port', 1],
    ['HOST', 'h', 'server', 'host', 'h'],
    ['WEBSOCKET_HOST', 'h', 'server', 'host', 'h'],
    ['WEBSOCKET_MAX_CONNECTIONS', '5', 'server', 'max_connections', 5],
    ['ALLOWED_ORIGINS', 'https://a.example', 'server', 'allowed_origins', 'https://a.example'],
    ['KEEP_ALIVE_TIMEOUT', '620', 'server', 'keep_alive_timeout', 620],
    ['SERVER_KEEP_ALIVE_TIMEOUT', '620', 'server', 'keep_alive_timeout', 620],
    ['TRUST_PROXY', '10.0.0.0/8', 'server', 'trust_proxy', '10.0.0.0/8'],
    ['DATABASE_URL', 'postgresql://localhost/x', 'database', 'url', 'postgresql://localhost/x'],
    ['DATABASE_URL', 'postgres://localhost/x', 'database', 'url', 'postgres://localhost/x'],
    ['DATABASE_POOL_SIZE', '3', 'database', 'pool_size', 3],
    ['DATABASE_POOL_TIMEOUT', '3', 'database', 'pool_timeout', 3],
    ['PARLEY_DATA_DIR', '/x', 'database', 'data_dir', '/x'],
    ['REDIS_URL', 'rediss://h', 'redis', 'url', 'rediss://h'],
    ['REDIS_POOL_SIZE', '3', 'redis', 'pool_size', 3],
    ['REDIS_POOL_TIMEOUT', '3', 'redis', 'pool_timeout', 3],
    ['JWT_SECRET', 'x'.repeat(32), 'authentication', 'jwt_secret', 'x'.repeat(32)],
    ['ADMIN_EMAIL', 'a@example.org', 'authentication', 'admin_email', 'a@example.org'],
    ['ADMIN_PASSWORD', 'long enough', 'authentication', 'admin_password', 'long enough'],
    ['LOG_LEVEL', 'debug', 'log', 'level', 'debug'],
    ['CHANNELS_MAX_MESSAGE_LENGTH', '17', 'channels', 'max_message_length', 17],
    ['AUTHENTICATION_REGISTRATION', 'invite', 'authentication', 'registration', 'invite'],
    ['AUTHENTICATION_ENABLED', 'false', 'authentication', 'enabled', false]
  ]
  const admin = { ADMIN_EMAIL: 'x@example.org', ADMIN_PASSWORD: 'not too short' }
  for (const [name, text, section, key, value] of names) {
    const { config, warnings } = loadConfig({ ...file(t, ''), ...name in admin && admin, [name]: text })
    t.same(warnings, [], name)
    t.strictSame((config[section] as Record<string, unknown>)[key], value, name)
  }
})

t.test('every key can be set by an environment variable named SECTION_KEY', async t => {
  for (const { key, value } of loadConfig(file(t, '')).entries) {
    const [section, name] = key.split('.') as [keyof Config, string]
    if (value === null) continue
    const { entries, warnings } = loadConfig({ ...file(t, ''), [`${section}_${name}`.toUpperCase()]: String(value) })
    t.same(warnings, [], key)
    t.match(entries.find(entry => entry.key === key), { value, source: `${section}_${name}`.toUpperCase() }, key)
  }
})

t.test('of several variables for one key the first wins, an empty one counts as unset, and unknown variables are ignored', async t => {
  t.equal(loadConfig({ ...file(t, ''), PORT: '1', WEBSOCKET_PORT: '2', SERVER_PORT: '3' }).config.server.port, 1)
  t.equal(loadConfig({ ...file(t, ''), PORT: '', WEBSOCKET_PORT: '2' }).config.server.port, 2)
  t.same(loadConfig({ ...file(t, ''), SERVER_PRT: '2', CHANNELS: 'x' }).config, loadConfig(file(t, '')).config)
})

t.test('a wrong value stops the start with one line that has the name, the allowed values and the wrong value', async t => {
  refuses(t, { PORT: 'http' }, 'PORT', 'an integer from 0 to 65535', '"http"')
  refuses(t, { PORT: '65536' }, 'PORT', 'an integer from 0 to 65535', '65536')
  refuses(t, { PORT: '-1' }, 'PORT', '-1')
  refuses(t, { PORT: '80.5' }, 'PORT', '80.5')
  refuses(t, { PORT: '1e3' }, 'PORT', '1e3')
  refuses(t, { WEBSOCKET_MAX_CONNECTIONS: '0' }, 'WEBSOCKET_MAX_CONNECTIONS', 'from 1')
  refuses(t, { AUTHENTICATION_ENABLED: 'yes' }, 'AUTHENTICATION_ENABLED', 'true or false', '"yes"')
  refuses(t, { AUTHENTICATION_TOKEN_EXPIRY: '0' }, 'AUTHENTICATION_TOKEN_EXPIRY', 'seconds')
  refuses(t, { CHANNELS_DEFAULT_ROOM: 'General' }, 'CHANNELS_DEFAULT_ROOM', 'a channel name', '"General"')
  refuses(t, { PERFORMANCE_MAX_BUFFERED: '1' }, 'PERFORMANCE_MAX_BUFFERED', 'bytes')
  refuses(t, { REDIS_URL: 'http://x' }, 'REDIS_URL', 'redis://')
  refuses(t, { DATABASE_URL: 'mysql://x' }, 'DATABASE_URL', 'postgresql://')
  refuses(t, file(t, 'database:\n  url: "postgresql://h:x"\n'), 'websocket.tusk: database.url: the port is not a number')
  refuses(t, { ...file(t, ''), DATABASE_URL: 'postgresql://h', DIRECT_URL: 'mysql://x' }, 'DIRECT_URL: it must be a postgresql:// URL')
  refuses(t, file(t, 'database:\n  ca: "/x.pem"\n'), 'DATABASE_URL is missing', 'websocket.tusk: database.ca does nothing')
  refuses(t, { AUTHENTICATION_REGISTRATION: 'Open' }, 'AUTHENTICATION_REGISTRATION', 'open, invite or closed', '"Open"')
  refuses(t, { LOG_LEVEL: 'loud' }, 'LOG_LEVEL', 'fatal, error, warn', '"loud"')
  refuses(t, { JWT_SECRET: 'short' }, 'JWT_SECRET', '32')
  refuses(t, { ADMIN_PASSWORD: 'short' }, 'ADMIN_PASSWORD', '8')
  for (const email of ['admin', 'a b@example.org', 'a@b@c', 'a\uff20@c', `${'a'.repeat(250)}@example.org`]) {
    refuses(t, { ADMIN_EMAIL: email, ADMIN_PASSWORD: 'long enough' }, 'ADMIN_EMAIL must be an email address', JSON.stringify(email))
  }
  refuses(t, file(t, 'server:\n  port: "8080"\n'), 'websocket.tusk', 'server.port', 'an integer', '"8080"')
  refuses(t, file(t, 'authentication:\n  enabled: 1\n'), 'authentication.enabled', 'true or false')
  refuses(t, file(t, 'server:\n  host: [a, b]\n'), 'server.host', '["a","b"]')
})

t.test('[P59] a message length that could not be delivered stops the start with one line that has the keys and values to set', async t => {
  const sizes = (length: number, buffered: number, payload: number) => ({
    ...file(t, ''),
    CHANNELS_MAX_MESSAGE_LENGTH: `${length}`, PERFORMANCE_MAX_BUFFERED: `${buffered}`, SERVER_MAX_PAYLOAD: `${payload}`
  })
  refuses(t, sizes(1_000_000, 1_048_576, 16_777_216),
    'channels.max_message_length 1000000', 'performance.max_buffered to at least 12016384 (now 1048576)')
  refuses(t, sizes(6000, 1_048_576, 65_536), 'channels.max_message_length 6000', 'server.max_payload to at least 74048 (now 65536)')
  refuses(t, sizes(100_000, 65_536, 1024), 'performance.max_buffered to at least 1216384', 'and server.max_payload to at least 1202048')
  refuses(t, { ...file(t, ''), PERFORMANCE_MAX_BUFFERED: '67108865' },
    'performance.max_buffered_total must be at least performance.max_buffered (67108865), not 67108864')
  refuses(t, { ...file(t, ''), SERVER_MAX_PAYLOAD: '16384' }, 'channels.max_message_length 4000', 'server.max_payload to at least 50048')
  for (const [length, buffered, payload] of [[1_000_000, 12_016_384, 12_002_048], [4000, 65_536, 50_048], [1, 65_536, 4096]] as const) {
    t.equal(loadConfig(sizes(length, buffered, payload)).config.channels.max_message_length, length)
  }
  const full = { ...sizes(4000, 65_536, 65_536), CHANNELS_MAX_DATA_BYTES: '10000' }
  refuses(t, full, 'max_data_bytes 10000', 'performance.max_buffered to at least 76192 (now 65536)')
  refuses(t, { ...file(t, ''), CHANNELS_MAX_DATA_DEPTH: '16' }, 'CHANNELS_MAX_DATA_DEPTH', 'an integer from 0 to 15')
})

t.test('[P3] ALLOWED_ORIGINS takes a list of origins or *; an item that no page can have stops the start with what to write', async t => {
  for (const text of [
    '', ' , ,', '*', 'https://a.example', 'https://A.example:443, http://localhost:3000', 'https://a.example/', 'capacitor://localhost', 'http://[::1]:80',
    'https://müller.example', 'https://*.a.example', 'HTTP://*.Müller.example:8080/,', 'https://*.localhost:3000', 'chrome-extension://abcdefgh'
  ]) {
    t.equal(loadConfig({ ...file(t, `server:\n  allowed_origins: "${text}"\n`) }).config.server.allowed_origins, text)
    t.equal(loadConfig({ ...file(t, ''), ALLOWED_ORIGINS: text }).warnings.length, 0)
  }
  for (const [item, fault, instead] of [
    ['a.example', 'no scheme', 'https://a.example or'], ['localhost:3000', 'no scheme', 'http://localhost:3000'],
    ['//a.example/x', 'no scheme', 'https://a.example or'], ['https:/a.example', 'no scheme', 'https://a.example or'],
    ['https//a.example', 'no scheme', 'https://a.example or'], ['*.a.example', 'no scheme', 'https://*.a.example'],
    ['"https://a.example"', 'quotes', 'without them'], ["'https://a.example'", 'quotes', 'without them'],
    ['“https://a.example”', 'quotes', 'without them'], ['["https://a.example"]', 'quotes', 'without them'],
    ['https://a.example https://b.example', 'commas', 'https://a.example,https://b.example'],
    ['https://a.example;https://b.example', 'commas', 'https://a.example,https://b.example'],
    ['https://a.example\nhttps://b.example', 'commas', 'https://a.example,https://b.example'],
    ['https://a.example|https://b.example', 'commas', 'https://a.example,https://b.example'], ['https://a.example;', 'commas', 'as in https://a.example'],
    ['https://a.example/chat', 'path', 'write https://a.example'], ['https://a.example?x', 'path', 'write https://a.example'],
    ['https://a.example#x', 'path', 'write https://a.example'], ['https://a.example//', 'path', 'write https://a.example'],
    ['https://me:pw@a.example', 'user name', 'write https://a.example'], ['wss://a.example', 'Origin of a page', 'write https://a.example'],
    ['ws://a.example:80', 'Origin of a page', 'write http://a.example:80'], ['null', 'cannot be listed', 'only * allows'],
    ['https://', 'no host', 'https://chat.example.org'], ['file:///index.html', 'no host', 'https://chat.example.org'],
    ['https://a.example:99999', 'host or port', 'https://chat.example.org'], ['https://a.example.', 'host or port', 'https://chat.example.org'],
    ['https://a..example', 'host or port', 'https://chat.example.org'], ['https://a_(b).example', 'host or port', 'https://chat.example.org'],
    ['https://%2a.example', 'host or port', 'https://chat.example.org'],
    ['https://*', 'a *', 'https://*.example.org'], ['https://a.*.example', 'a *', 'https://*.example.org'], ['https://a*.example', 'a *', 'https://*.example.org'],
    ['https://*a.example', 'a *', 'https://*.example.org'], ['https://*.*.example', 'a *', 'https://*.example.org'],
    ['https://a.example:*', 'a *', 'https://*.example.org'], ['https://*.1.2.3.4', 'a *', 'https://*.example.org']
  ] as const) {
    refuses(t, { ...file(t, ''), ALLOWED_ORIGINS: item }, `ALLOWED_ORIGINS: ${JSON.stringify(item)}`, fault, instead)
    refuses(t, file(t, `server:\n  allowed_origins: ${JSON.stringify(`https://x.example, ${item}`)}\n`),
      `websocket.tusk: server.allowed_origins: ${JSON.stringify(item)}`, fault, instead)
  }
  refuses(t, file(t, 'server:\n  allowed_origins: [https://a.example]\n'), 'server.allowed_origins must be a comma list of origins such as')
})

t.test('[P17] [P47] the default room has a name that a public channel can have', async t => {
  for (const name of ['', 'General', 'a b', 'direct-talk', 'x'.repeat(65)]) {
    const line = 'channels.default_room must be a channel name that does not begin with direct-'
    refuses(t, file(t, `channels:\n  default_room: ${JSON.stringify(name)}\n`), line, name)
  }
  t.equal(loadConfig(file(t, 'channels:\n  default_room: directions\n')).config.channels.default_room, 'directions')
})

t.test('no error line shows a secret', async t => {
  for (const env of [{ JWT_SECRET: 'hush' }, { ADMIN_PASSWORD: 'hush' }, { DATABASE_URL: 'mysql://u:hush@h' }, { REDIS_URL: 'hush' }]) {
    const { message } = refuses(t, env, Object.keys(env)[0]!)
    t.notMatch(message, /hush/)
  }
  const { entries } = loadConfig({ JWT_SECRET: 'x'.repeat(32) })
  t.equal(entries.find(({ key }) => key === 'authentication.jwt_secret')!.secret, true)
})

t.test('an unknown key or section or an unreadable file stops the start with one line that names it and the known names', async t => {
  refuses(t, file(t, 'server:\n  prot: 1\n'), 'server.prot', 'port')
  refuses(t, file(t, 'websocket:\n  sever:\n    port: 1\n'), 'sever', 'server')
  refuses(t, file(t, 'server:\n  toString: 1\n'), 'server.toString', 'unknown')
  refuses(t, file(t, 'constructor:\n  name: 1\n'), 'constructor', 'unknown')
  refuses(t, file(t, 'websocket:\n  server:\n    port: 1\nredis:\n  pool_size: 1\n'), 'unknown key redis', 'websocket')
  refuses(t, file(t, 'server: 1\n'), 'server', 'block')
  refuses(t, file(t, '- server\n'), 'block')
  refuses(t, file(t, 'websocket: yes\n'), 'websocket', 'block')
  refuses(t, file(t, 'server: {port: 1\n'), 'websocket.tusk', 'cannot be read')
  refuses(t, file(t, 'server:\n  port: 1\n  port: 2\n'), 'websocket.tusk', 'cannot be read')
  refuses(t, { PARLEY_CONFIG: '/nowhere/websocket.tusk' }, '/nowhere/websocket.tusk', 'cannot be read')
})

t.test('an empty PARLEY_CONFIG counts as unset: config/websocket.tusk is read', async t => {
  const folder = process.cwd()
  process.chdir(t.testdir({ config: { 'websocket.tusk': 'server:\n  port: 9000\n' } }))
  t.teardown(() => process.chdir(folder))
  t.equal(loadConfig({ PARLEY_CONFIG: '' }).config.server.port, 9000)
  t.equal(loadConfig({}).config.server.port, 9000)
})

t.test('trust_proxy takes true, false or a list of addresses, in the environment and in the file', async t => {
  t.equal(loadConfig(file(t, 'server:\n  trust_proxy: true\n')).config.server.trust_proxy, 'true')
  t.equal(loadConfig(file(t, 'server:\n  trust_proxy: 127.0.0.1\n')).config.server.trust_proxy, '127.0.0.1')
  refuses(t, file(t, 'server:\n  trust_proxy: 1\n'), 'server.trust_proxy', 'true, false, or a comma list')
  for (const text of ['10.0.0.0/8, ::1', 'fd00::/8', '::1/128', '1.2.3.4/32,loopback', 'linklocal', 'uniquelocal']) {
    t.equal(loadConfig({ TRUST_PROXY: text }).config.server.trust_proxy, text)
    fastify({ trustProxy: text })
  }
  const wrong = [
    'yes', '1', 'TRUE', 'true,false', 'localhost', '10.0.0', '10.0.0.0/0', '10.0.0.0/33', '::1/129', '10.0.0.1/', '/8', '10.0.0.1/8/8',
    '10.0.0.1,', 'fe80::1%eth0', '10.0.0.0/8 10.0.0.1'
  ]
  for (const text of wrong) refuses(t, { TRUST_PROXY: text }, 'TRUST_PROXY', 'loopback, linklocal, uniquelocal', JSON.stringify(text))
})

t.test('an admin email without a password, or the reverse, stops the start with one line that names the missing one', async t => {
  refuses(t, { ...file(t, ''), ADMIN_EMAIL: 'a@example.org' }, 'ADMIN_PASSWORD is missing')
  refuses(t, { ...file(t, ''), ADMIN_PASSWORD: 'hush, hush' }, 'ADMIN_EMAIL is missing')
  refuses(t, file(t, 'authentication:\n  admin_email: a@example.org\n'), 'ADMIN_PASSWORD is missing')
})

t.test('[P53] an inbox that is too small for the largest frames stops the start with one line', async t => {
  const line = 'performance.max_inbox must be at least 4 times server.max_payload, 4194304, not 4194303'
  refuses(t, { ...file(t, ''), SERVER_MAX_PAYLOAD: '1048576', PERFORMANCE_MAX_INBOX: '4194303' }, line)
  loadConfig({ ...file(t, ''), SERVER_MAX_PAYLOAD: '1048576', PERFORMANCE_MAX_INBOX: '4194304' })
  loadConfig({ ...file(t, ''), SERVER_MAX_PAYLOAD: '16777216' })
})
