import { createRedisPresence } from '../../src/presence/redis.ts'
import { lobby, person } from '../contracts/presence.ts'

/** A presence in a separate process that can be killed or frozen. Arguments: `url prefix lease renew grace user…`. Prints its announcements. */
const [url, prefix, lease, renew, grace, ...users] = process.argv.slice(2) as [string, string, ...string[]]
const logger = { info () {}, warn () {} }
const presence = createRedisPresence({
  url,
  pool_timeout: 5,
  prefix,
  logger,
  lease: Number(lease),
  renew: Number(renew),
  grace: Number(grace),
  announce: (type, _channel, user) => console.log(type, user.username)
})
for (const user of users) presence.enter(lobby, person(user))
await presence.list(lobby.id)
