import { loadConfig } from '../src/config.ts'
import { t } from './tap.ts'

/** Returns the warnings about these variables, which all have a value that means nothing. */
function warningsOf (...variables: string[]): string[] {
  const env = Object.fromEntries(variables.map(variable => [variable, 'x']))
  return loadConfig({ PARLEY_CONFIG: '/dev/null', ...env }).warnings.map(({ message }) => message)
}

t.test('a misspelt variable is one warning that names the nearest known variable', async t => {
  for (const [variable, meant] of [
    ['ALLOWED_ORIGIN', 'ALLOWED_ORIGINS'], ['METRIC_TOKEN', 'METRICS_TOKEN'], ['DATABASE_POOLSIZE', 'DATABASE_POOL_SIZE'],
    ['WEBSOCKET_MAXCONNECTIONS', 'WEBSOCKET_MAX_CONNECTIONS'], ['JWT_SECERT', 'JWT_SECRET'], ['JWTSECRET', 'JWT_SECRET'],
    ['REDIS_URI', 'REDIS_URL'], ['DATABASE_ULR', 'DATABASE_URL'], ['TRUST_PROXI', 'TRUST_PROXY'], ['LOGLEVEL', 'LOG_LEVEL'],
    ['log_level', 'LOG_LEVEL'], ['port', 'PORT'], ['WEB_CONCURENCY', 'WEB_CONCURRENCY'],
    ['LIMIT_ENABLED', 'LIMITS_ENABLED'], ['KEEPALIVE_TIMEOUT', 'KEEP_ALIVE_TIMEOUT'],
    ['CHANNEL_MAX_MESAGE_LENGTH', 'CHANNELS_MAX_MESSAGE_LENGTH'], ['PARLEY_CONFG', 'PARLEY_CONFIG'], ['PARLEY_DATADIR', 'PARLEY_DATA_DIR'],
    ['PARLEY_PORT', 'PORT'], ['PARLEY_ALLOWED_ORIGINS', 'ALLOWED_ORIGINS'], ['WEBSOCKET_MAX_PAYLOAD', 'SERVER_MAX_PAYLOAD']
  ] as const) t.same(warningsOf(variable), [`${variable} is unknown and has no effect; did you mean ${meant}?`])
  t.equal(warningsOf('ALLOWED_ORIGIN', 'PATH', 'METRIC_TOKEN').length, 2)
  t.same(loadConfig({ ALLOWED_ORIGIN: '' }).warnings, [], 'an empty variable counts as unset')
})

t.test('PARLEY_CONFIG and NODE_ENV cause no warning', async t => {
  t.same(loadConfig({ PARLEY_CONFIG: '/dev/null', NODE_ENV: 'production' }).warnings, [])
})

t.test('variables of other programs cause no warning', async t => {
  t.same(warningsOf(
    // Shells, systemd, Docker, Node.
    'PATH', 'HOME', 'HOSTNAME', 'USER', 'LOGNAME', 'SHELL', 'PWD', 'OLDPWD', 'TERM', 'LANG', 'LC_ALL', 'TZ', 'SHLVL', 'MAIL', 'EDITOR',
    'DISPLAY', '_', 'HOSTTYPE', 'INVOCATION_ID', 'JOURNAL_STREAM', 'NOTIFY_SOCKET', 'LISTEN_FDS', 'STATE_DIRECTORY', 'SSH_CONNECTION',
    'XDG_RUNTIME_DIR', 'TMPDIR', 'NODE_OPTIONS', 'NODE_PATH', 'NODE_VERSION', 'NODE_EXTRA_CA_CERTS', 'NODE_V8_COVERAGE',
    'NODE_UNIQUE_ID', 'YARN_VERSION', 'UV_THREADPOOL_SIZE', 'npm_config_port', 'npm_config_host', 'npm_config_loglevel',
    'npm_config_user_agent', 'npm_package_name', 'npm_lifecycle_event', 'NVM_DIR', 'INIT_CWD', 'HTTP_PROXY', 'https_proxy', 'NO_PROXY',
    'ALL_PROXY',
    // Platforms.
    'KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'KUBERNETES_PORT', 'KUBERNETES_PORT_443_TCP', 'KUBERNETES_PORT_443_TCP_ADDR',
    'METRICS_SERVICE_HOST', 'METRICS_SERVICE_PORT', 'METRICS_PORT_9090_TCP', 'METRICS_PORT_9090_TCP_PORT', 'PARLEY_SERVICE_HOST',
    'PARLEY_SERVICE_PORT', 'PARLEY_SERVICE_PORT_HTTP', 'PARLEY_PORT_8080_TCP_PROTO', 'PARLEY_VERSION', 'PARLEY_IMAGE', 'POD_NAME',
    'POD_IP', 'NODE_NAME', 'DYNO', 'SOURCE_VERSION', 'REDIS_TLS_URL', 'REDISCLOUD_URL', 'RENDER', 'RENDER_EXTERNAL_URL',
    'RENDER_SERVICE_NAME', 'RAILWAY_PRIVATE_DOMAIN', 'FLY_APP_NAME', 'FLY_PUBLIC_IP', 'FLY_PRIVATE_IP', 'PRIMARY_REGION',
    'DATABASE_PUBLIC_URL', 'DATABASE_PRIVATE_URL', 'DIRECT_URL',
    // Databases and other servers.
    'PGHOST', 'PGPORT', 'PGUSER', 'PGPASSWORD', 'PGDATABASE', 'PGSSLMODE', 'POSTGRES_PASSWORD', 'POSTGRES_USER', 'POSTGRES_DB',
    'REDIS_HOST', 'REDIS_PORT', 'REDIS_PASSWORD', 'DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME', 'DATABASE_USER',
    'DATABASE_PASSWORD', 'DB_URL', 'DB_HOST', 'DATA_DIR', 'LOG_DIR', 'LOG_FILE', 'LOG_FORMAT', 'PORTS', 'HOSTS', 'HTTP_PORT',
    'HTTPS_PORT', 'SERVER_NAME', 'SERVER_URL', 'SERVER_SOFTWARE', 'METRICS_HOST', 'METRICS_PATH', 'METRICS_ENABLED', 'ADMIN_USER',
    'ADMIN_NAME', 'ADMIN_URL', 'ALLOWED_HOSTS', 'JWT_ISSUER', 'JWT_EXPIRY', 'SECRET_KEY', 'WEB_URL', 'DATABASE_URL_2',
    'TEST_DATABASE_URL', 'SHADOW_DATABASE_URL', 'PROXY_URL', 'WEBSOCKET_URL'
  ), [])
})

t.test('a link that Kubernetes sets for a Service is ignored with a warning, and the next variable or the default counts', async t => {
  for (const link of ['tcp://10.0.0.1:9090', 'udp://10.0.0.1:53', 'sctp://10.0.0.1:9', 'tcp://[fd00::1]:9090']) {
    const { config, warnings, entries } = loadConfig({
      PARLEY_CONFIG: '/dev/null', SERVER_PORT: '9000', METRICS_PORT: link, WEBSOCKET_PORT: link, PARLEY_PORT: link, METRIC_PORT: link
    })
    t.match(config, { server: { port: 9000 }, metrics: { port: undefined } })
    t.match(entries.find(({ key }) => key === 'server.port'), { source: 'SERVER_PORT' })
    t.same(warnings.map(({ variable }) => variable), ['METRICS_PORT', 'WEBSOCKET_PORT'])
    for (const { message } of warnings) t.match(message, /^\w+ is ignored: .*Kubernetes.*enableServiceLinks: false/)
  }
})

t.test('a value that only resembles such a link stops the start, because Kubernetes does not set it', async t => {
  for (const env of [{ METRICS_PORT: 'tcp://host:90' }, { METRICS_PORT: 'http://10.0.0.1:90' }, { REDIS_URL: 'tcp://10.0.0.1:6379' }]) {
    t.throws(() => loadConfig({ PARLEY_CONFIG: '/dev/null', ...env }), { message: new RegExp(`^${Object.keys(env)[0]}(: it)? must be`) })
  }
})
