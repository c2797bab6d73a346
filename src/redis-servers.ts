import { isIP } from 'node:net'
import type { Redis } from 'ioredis'
import { openConnection, type ServerAddress } from './redis.ts'
import { readRedisUrl, type RedisNode, type RedisSettings } from './redis-settings.ts'

/** Milliseconds that a sentinel or a node of a cluster has for each answer before the next one is asked. */
const ANSWER_TIMEOUT_MS = 1000
/** Nodes that may name another owner of a slot in turn. More of them do not agree with each other. */
const MOST_MOVES = 3

/**
 * Finds the server that takes the writes: that of the URL, the master that the sentinels name, or the node of a cluster that owns the slot
 * of `settings.part`. It may be another one a moment later, so every new session asks again.
 * @throws Error with the reason of the first node of the URL if no node answers.
 */
export async function findServer (settings: RedisSettings, signal: AbortSignal): Promise<ServerAddress> {
  const { kind, tls, nodes, sentinel, ...login } = readRedisUrl(settings.url, 'REDIS_URL')
  const at = (node: RedisNode): ServerAddress => ({ ...login, ...node, ...tls && { tls: tlsOptions(settings, node.host) } })
  switch (kind) {
    case 'server': return at(nodes[0]!)
    case 'sentinel': {
      const { master, username, password } = sentinel!
      const own = { db: 0, username, password }
      return at(await askAny('sentinel', nodes, node => askSentinel({ ...at(node), ...own }, master, signal)))
    }
    case 'cluster': return at(await askAny('node', nodes, node => askOwner(at, node, settings.part!.key, signal)))
  }
}

function tlsOptions ({ ca, tls_verify: verify = true }: RedisSettings, host: string): NonNullable<ServerAddress['tls']> {
  // Node does not name the host in the handshake by itself. Proxies that serve many databases at one address choose by that name.
  const servername = isIP(host) === 0 ? host : undefined
  return { rejectUnauthorized: verify, ...ca !== undefined && { ca }, ...servername !== undefined && { servername } }
}

/** Asks the nodes one after another until one answers. The order is random: one that knows only old things must not always be the first. */
async function askAny (role: string, nodes: RedisNode[], ask: (node: RedisNode) => Promise<RedisNode>): Promise<RedisNode> {
  const errors = new Map<RedisNode, unknown>()
  for (const node of shuffled(nodes)) {
    try {
      return await ask(node)
    } catch (error) {
      errors.set(node, error)
    }
  }
  // Always the same node's reason: the log has a line for each change of the reason.
  const first = nodes[0]!
  const { message, code } = errors.get(first) as NodeJS.ErrnoException
  throw new Error(`${role} ${first.host}:${first.port}: ${message || code}`)
}

async function askSentinel (sentinel: ServerAddress, master: string, signal: AbortSignal): Promise<RedisNode> {
  const answer = await ask(sentinel, signal, redis => redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master)) as [string, string] | null
  if (!answer) throw new Error(`it knows no master ${master}`)
  const [host, port] = answer
  return { host, port: Number(port) }
}

/** Finds the owner of the key's slot: a node that does not own it names the one that does. */
async function askOwner (at: (node: RedisNode) => ServerAddress, node: RedisNode, key: string, signal: AbortSignal): Promise<RedisNode> {
  let owner = node
  for (let moves = 0; moves <= MOST_MOVES; moves++) {
    const next = await ask(at(owner), signal, async redis => {
      // A server that is no part of a cluster refuses this command, and would own every key.
      await redis.readwrite()
      return redis.exists(key).then(() => null, (error: Error) => movedTo(error, owner))
    })
    if (!next) return owner
    owner = next
  }
  throw new Error('the nodes of the cluster do not agree on the owner of a slot')
}

/** Reads `MOVED <slot> <host>:<port>`. A node that does not know the host leaves it out: it is its own. */
function movedTo (error: Error, { host }: RedisNode): RedisNode {
  const [, named, port] = /^MOVED \d+ (.*):(\d+)$/.exec(error.message) ?? []
  if (port === undefined) throw error
  return { host: named || host, port: Number(port) }
}

async function ask<T> (server: ServerAddress, signal: AbortSignal, question: (redis: Redis) => Promise<T>): Promise<T> {
  const asked = new AbortController()
  const redis = await openConnection(server, AbortSignal.any([signal, asked.signal]), ANSWER_TIMEOUT_MS, () => {})
  try {
    return await question(redis)
  } finally {
    asked.abort()
  }
}

function shuffled<T> (items: T[]): T[] {
  return items.map(item => ({ item, place: Math.random() })).sort((a, b) => a.place - b.place).map(({ item }) => item)
}
