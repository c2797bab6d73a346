import { setTimeout as sleep } from 'node:timers/promises'
import { createParts } from '../../src/redis-parts.ts'
import { startNodes, startSentinels } from '../redis/servers.ts'
import type { Outcome } from './outcome.ts'
import { underLoad, type RedisFault } from './redis-failover.ts'
import type { Stage } from './scope.ts'

const PREFIX = 'faults:'

/**
 * G19. The master that sentinels watch dies under load, and they promote its replica: messages between instances are prompt again within
 * 15 s. Clients are told, and the ledger agrees [P33].
 */
export async function sentinelFailover (stage: Stage, load: RedisFault): Promise<Outcome> {
  const { url, master } = await startSentinels(stage)
  return underLoad(stage, url, load, () => master.kill())
}

/** G19. One of three masters of a cluster dies under load, and its replica takes its slots: the same is true. */
export async function clusterFailover (stage: Stage, load: RedisFault): Promise<Outcome> {
  const nodes = await startNodes(stage)
  const [part] = createParts('bus', PREFIX)
  return underLoad(stage, nodes.url, load, async () => (await nodes.serverOf(part!.key)).kill(), PREFIX)
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
