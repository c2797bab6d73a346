// PM2: build Parley in the folder above this one (npm ci && npm run build && npm prune --omit=dev), set the three URLs and secrets, then
//   pm2 start deploy/ecosystem.config.cjs && pm2 save
//   pm2 reload parley    # after an upgrade: replaces one worker after the other
const { join } = require('node:path')

module.exports = {
  apps: [{
    name: 'parley',
    cwd: join(__dirname, '..'),
    script: 'dist/src/server.js',
    exec_mode: 'cluster',
    // More than one worker needs DATABASE_URL and REDIS_URL. PM2 is the primary here, so WEB_CONCURRENCY has no effect.
    instances: process.env.DATABASE_URL && process.env.REDIS_URL ? 'max' : 1,
    env: { NODE_ENV: 'production' },
    // A worker takes over when it listens, and may take this long for it.
    wait_ready: true,
    listen_timeout: 60_000,
    // Longer than server.drain_timeout (10 s). PM2's own 1.6 s would cut the clients off.
    kill_timeout: 20_000
  }]
}
