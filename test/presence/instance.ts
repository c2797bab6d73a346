import { createRedisPresence } from '../../src/presence/redis.ts'
import { lobby, person } from './people.ts'

/**
 * A presence in a separate process that can be killed or frozen. Its arguments are settings as JSON and names of users. It prints its
 * announcements.
 */
const [settings, ...users] = process.argv.slice(2) as [string, ...string[]]
const logger = { info () {}, warn () {} }
const presence = createRedisPresence({
  ...JSON.parse(settings),
  pool_timeout: 5,
  logger,
  announce: (type, _channel, user) => console.log(type, user.username)
})
for (const user of users) presence.enter(lobby, person(user))
await presence.list(lobby.id)
