import { createRedisPresence, type RedisPresenceDeps } from '../../src/presence/redis.ts'
import { watch, type Watched } from '../contracts/presence.ts'
import type { Test } from '../tap.ts'

/** Short times, so that tests take seconds. */
export const QUICK = { lease: 1500, renew: 100, grace: 2500 }

/** A presence on Redis, what it has announced, and the texts of its warnings. */
export type Instance = Watched & { warnings: string[] }

/** Opens a presence on Redis that is closed when the test ends. */
export function openPresence (test: Test, deps: Partial<RedisPresenceDeps> & Pick<RedisPresenceDeps, 'url'>): Instance {
  const warnings: string[] = []
  const logger = { info () {}, warn: (_: object, text: string) => { warnings.push(text) } }
  const watched = watch(announce => createRedisPresence({ ...QUICK, prefix: 'p:', pool_timeout: 1, logger, announce, ...deps }))
  test.teardown(() => watched.presence.close())
  return { ...watched, warnings }
}

/** Returns a function that tells whether all of these instances list the user in the lobby. */
export const lists = (user: string, ...instances: Watched[]) => async (): Promise<boolean> => {
  for (const { presence } of instances) if (!(await presence.list('lobby')).includes(user)) return false
  return true
}
