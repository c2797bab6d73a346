import type { Redis } from 'ioredis'

/** Approximate number of keys that Redis looks at in one command. */
const KEYS_PER_SCAN = 1000

interface SweepDeps {
  redis: Redis
  /** The prefix of all keys of presence. */
  root: string
  instance: string
  generation: number
  epoch: string
  /** Milliseconds of the lease that instances without one get. */
  lease: number
}

/**
 * Removes from Redis what is left of epochs before `epoch`, and gives a lease to instances that have none, so that other instances take
 * over their users if they are dead. It looks at all keys of the server, because no list of keys is safe from loss. Ends early when the
 * epoch is over.
 */
export async function sweep ({ redis, root, instance, generation, epoch, lease }: SweepDeps): Promise<void> {
  const pattern = root.replaceAll(/[\\*?[\]]/g, '\\$&') + '*'
  let cursor = '0'
  do {
    const [next, keys] = await redis.scan(cursor, 'MATCH', pattern, 'COUNT', KEYS_PER_SCAN)
    cursor = next
    const names = keys.map(key => key.slice(root.length))
    if (!await redis.presenceSweep(root, instance, generation, epoch, lease, cursor === '0' ? 1 : 0, ...names)) return
  } while (cursor !== '0')
}
