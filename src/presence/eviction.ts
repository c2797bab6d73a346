import type { Redis } from 'ioredis'
import type { Logger } from '../redis.ts'

/**
 * Returns a function that warns, once, if this Redis server evicts keys when its memory is full. It says nothing if the server does not
 * tell: many managed services forbid CONFIG, some also INFO.
 */
export function createEvictionWarning (logger: Logger): (redis: Redis) => void {
  let hasWarned = false
  return redis => {
    redis.info('memory').then(info => {
      const [, policy] = /^maxmemory_policy:(\S+)/m.exec(info) ?? []
      if (hasWarned || policy === undefined || policy === 'noeviction') return
      hasWarned = true
      logger.warn({ policy }, 'Redis evicts keys when its memory is full: user lists may then be incomplete for some seconds, ' +
        'and limits on passwords and requests may begin to count anew; set maxmemory-policy to noeviction')
    }, () => { /* INFO is forbidden here, or the connection was lost. */ })
  }
}
