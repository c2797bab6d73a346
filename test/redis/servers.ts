import { execFile } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { Redis } from 'ioredis'
import { end, findPrograms, freePort, launch, untilListens } from '../../scripts/service.ts'
import { startRedis, type RedisServer } from '../contracts/redis-server.ts'
import { eventually } from '../eventually.ts'
import type { Scope } from '../helper.ts'
import { OPTIONS as REPLICATED, replicate } from '../replication.ts'

const SENTINELS = 3
/** Milliseconds after which a silent node counts as dead. Tests wait for it, and a busy machine must not take it by mistake. */
const DEAD_AFTER = 1500

/** Connects to a server as its administrator until the scope ends. */
export function administer (scope: Scope, { url }: Pick<RedisServer, 'url'>): Redis {
  // A command to a server that a test has killed would otherwise wait for twenty attempts to connect.
  const redis = new Redis(url, { commandTimeout: 5000, maxRetriesPerRequest: 1 })
  // A server that a test kills is no news.
  redis.on('error', () => {})
  scope.teardown(() => redis.disconnect())
  return redis
}

/** Starts one sentinel that watches the master of this port under the name `main`. `lines` are added to its configuration. */
export async function startSentinel (scope: Scope, masterPort: number, quorum = 1, lines: string[] = []) {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'parley-sentinel-'))
  const file = join(folder, 'sentinel.conf')
  writeFileSync(file, [
    `port ${port}`, 'bind 127.0.0.1', `dir ${folder}`, `sentinel monitor main 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel down-after-milliseconds main ${DEAD_AFTER}`, 'sentinel failover-timeout main 5000', ...lines
  ].join('\n'))
  const service = launch('Sentinel', join(findPrograms('redis-server')[0]!, 'redis-server'), [file, '--sentinel'], folder, 'SIGKILL')
  scope.teardown(() => end(service))
  await untilListens(service, port)
  return { port, url: `redis://127.0.0.1:${port}`, kill: () => end(service) }
}

/** Starts a master, its replica and three sentinels, and waits until the sentinels know all of each other. */
export async function startSentinels (scope: Scope) {
  const [master, replica] = [await startRedis(scope, REPLICATED), await startRedis(scope, REPLICATED)]
  await replicate(replica, master)
  const sentinels = []
  for (let i = 0; i < SENTINELS; i++) sentinels.push(await startSentinel(scope, master.port, 2))
  const admins = sentinels.map(sentinel => administer(scope, sentinel))
  await eventually(async () => {
    const states = await Promise.all(admins.map(admin => admin.call('SENTINEL', 'MASTERS'))) as string[][][]
    const read = (state: string[], name: string): number => Number(state[state.indexOf(name) + 1])
    return states.every(([state]) => read(state!, 'num-slaves') === 1 && read(state!, 'num-other-sentinels') === SENTINELS - 1)
  }, 20_000)
  return {
    master,
    replica,
    sentinels,
    url: `redis+sentinel://${sentinels.map(({ port }) => `127.0.0.1:${port}`).join()}/main`
  }
}

/** Starts a server in cluster mode that is in no cluster yet. */
export async function startNode (scope: Scope, args: string[] = []): Promise<RedisServer> {
  // By default the port of the cluster's own connections is 10,000 higher, which may be no port, or taken.
  const ports = ['--cluster-port', String(await freePort())]
  return startRedis(scope, ['--cluster-enabled', 'yes', '--cluster-node-timeout', String(DEAD_AFTER), ...ports, ...REPLICATED, ...args])
}

/** Starts a cluster of three masters, each with a replica. */
export async function startNodes (scope: Scope) {
  const nodes: RedisServer[] = []
  for (let i = 0; i < 6; i++) nodes.push(await startNode(scope))
  const places = nodes.map(({ port }) => `127.0.0.1:${port}`)
  const program = join(findPrograms('redis-server')[0]!, 'redis-cli')
  await promisify(execFile)(program, ['--cluster', 'create', ...places, '--cluster-replicas', '1', '--cluster-yes'])
  const admins = nodes.map(node => administer(scope, node))
  const isReady = async (): Promise<boolean> => {
    const texts = await Promise.all(admins.map(async admin => `${await admin.cluster('INFO')}${await admin.info('replication')}`))
    return texts.every(text => /cluster_state:ok/.test(text) && /role:master|master_link_status:up/.test(text))
  }
  await eventually(isReady, 20_000)

  /** Returns the master that has the slot, and the other masters. */
  async function ownerOf (slot: number): Promise<{ owner: Redis, others: Redis[] }> {
    const living = await Promise.all(admins.map(async admin => {
      const text = admin.status === 'ready' ? String(await admin.cluster('NODES').catch(() => '')) : ''
      const [, own = ''] = /myself,(master.*)/.exec(text) ?? []
      const ranges = [...own.matchAll(/ (\d+)(?:-(\d+))?(?= |$)/g)].map(([, from, to = from]) => [Number(from), Number(to)] as const)
      return { admin, isMaster: own !== '', owns: ranges.some(([from, to]) => slot >= from && slot <= to) }
    }))
    const masters = living.filter(({ isMaster }) => isMaster)
    const owner = masters.find(({ owns }) => owns)
    if (!owner) throw new Error(`slot ${slot} has no owner`)
    return { owner: owner.admin, others: masters.filter(master => master !== owner).map(({ admin }) => admin) }
  }

  return {
    nodes,
    /** The first node of the URL is a master. */
    url: `redis+cluster://${places.join()}`,

    /** The master that has this key's slot. */
    async serverOf (key: string): Promise<RedisServer> {
      const { owner } = await ownerOf(Number(await admins.find(({ status }) => status === 'ready')!.cluster('KEYSLOT', key)))
      return nodes[admins.indexOf(owner)]!
    },

    /** Gives the key's slot, with all that is in it, to another master, as `redis-cli --cluster reshard` does. */
    async move (key: string): Promise<void> {
      const slot = Number(await admins.find(({ status }) => status === 'ready')!.cluster('KEYSLOT', key))
      const { owner, others } = await ownerOf(slot)
      const [target] = others
      const [from, to] = await Promise.all([owner, target!].map(admin => admin.cluster('MYID'))) as [string, string]
      const { port } = nodes[admins.indexOf(target!)]!
      await target!.cluster('SETSLOT', slot, 'IMPORTING', from)
      await owner.cluster('SETSLOT', slot, 'MIGRATING', to)
      for (;;) {
        const keys = await owner.cluster('GETKEYSINSLOT', slot, 10) as string[]
        if (keys.length === 0) break
        await owner.call('MIGRATE', '127.0.0.1', port, '', 0, 5000, 'KEYS', ...keys)
      }
      for (const admin of [target!, owner, ...others.slice(1)]) await admin.cluster('SETSLOT', slot, 'NODE', to)
    }
  }
}

export type Nodes = Awaited<ReturnType<typeof startNodes>>
