import { startRedis } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import { redis, startServer } from '../helper.ts'
import { t } from '../tap.ts'
import { testReactions } from './reactions.ts'

const bus = await startRedis(t)
const config = { limits: { enabled: false }, redis: { ...redis(), url: bus.url } }
const a = await startServer(t, { config })
const b = await startServer(t, { config, databaseUrl: a.databaseUrl })
await bus.kill()
await eventually(() => !a.broker.connected && !b.broker.connected)

// Reactions between instances also have to arrive without a bus [P33].
testReactions(t, [a, b], { isWhole: false })
