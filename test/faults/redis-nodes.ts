import { setTimeout as sleep } from 'node:timers/promises'
import { createParts } from '../../src/redis-parts.ts'
import { eventually } from '../eventually.ts'
import { administer, startNodes, startSentinels } from '../redis/servers.ts'
import type { Outcome } from './outcome.ts'
import { underLoad, type RedisFault } from './redis-failover.ts'
import type { Stage } from './scope.ts'

const PREFIX = 'faults:'
/** Milliseconds that Redis itself may need, on a busy machine, until a replica is the master. */
const PROMOTED_WITHIN = 60_000

/**
 * G19. The master that sentinels watch dies under load, and they promote its replica: messages between instances are prompt again at most
 * 15 s later. Clients are told, and the ledger agrees [P33].
 */
export async function sentinelFailover (stage: Stage, load: RedisFault): Promise<Outcome> {
  const { url, master, replica } = await startSentinels(stage)
  const admin = administer(stage, replica)
  return underLoad(stage, url, load, async () => {
    await master.kill()
    await eventually(async () => (await admin.role())[0] === 'master', PROMOTED_WITHIN)
  })
}

/** G19. One of three masters of a cluster dies under load, and its replica takes its slots: the same is true. */
export async function clusterFailover (stage: Stage, load: RedisFault): Promise<Outcome> {
  const nodes = await startNodes(stage)
  const { key } = createParts('bus', PREFIX)[0]!
  return underLoad(stage, nodes.url, load, async () => {
    const victim = await nodes.serverOf(key)
    await victim.kill()
    await eventually(() => nodes.serverOf(key).then(server => server !== victim, () => false), PROMOTED_WITHIN)
  }, PREFIX)
}

/** G19. The slots of this many parts of the bus, and of as many of presence, move to other nodes under load: the same is true. */
export async function clusterMoves (stage: Stage, { moves, ...load }: RedisFault & { moves: number }): Promise<Outcome> {
  const nodes = await startNodes(stage)
  return underLoad(stage, nodes.url, load, async () => {
    const [bus, presence] = [createParts('bus', PREFIX), createParts('presence', PREFIX)]
    for (let i = 0; i < moves; i++) {
      await nodes.move(bus[i]!.key)
      await nodes.move(presence[i]!.key)
      await sleep(100)
    }
  }, PREFIX)
}
