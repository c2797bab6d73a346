import type { Redis, Result } from 'ioredis'

/**
 * Keys of presence in Redis, under `<prefix>presence:`. A field is `<channel id>|<user id>`.
 *
 *   online:<channel>   hash: user → number of instances on which the user is online
 *   left:<channel>     hash: user → the instance that will announce the user's departure unless the user returns first
 *   own:<instance>     hash: field → flag and info. Flags: `1` online here, entered as the first in the cluster; `0` online here;
 *                      `-` left, this instance has to announce the departure.
 *                      The field '' holds the generation of the instance's connection: commands of an earlier connection, which a
 *                      stopped server may execute late, have no effect.
 *   told:<field>       exists for a moment after a departure was announced
 *   leases             sorted set: instance → time from which it counts as dead, in ms of Redis' clock
 *   epoch              random text that changes whenever Redis loses its data
 */
const PARTS = `
local P, me, gen = KEYS[1], ARGV[1], ARGV[2]
local own = P .. 'own:' .. me
local function now ()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function keys (field)
  local bar = string.find(field, '|', 1, true)
  local channel = string.sub(field, 1, bar - 1)
  return P .. 'online:' .. channel, P .. 'left:' .. channel, string.sub(field, bar + 1)
end
local function leave (online, user)
  if redis.call('HINCRBY', online, user, -1) > 0 then return false end
  redis.call('HDEL', online, user)
  return true
end
local function mark (left, user, field, info)
  redis.call('HSET', left, user, me)
  redis.call('HSET', own, field, '-' .. info)
end
`
const IS_CURRENT = `${PARTS}
if redis.call('HGET', own, '') ~= gen then return false end
`

const JOIN = `${PARTS}
redis.call('HSET', own, '', gen)
redis.call('ZADD', P .. 'leases', now() + ARGV[3], me)
redis.call('SET', P .. 'epoch', ARGV[4], 'NX')
return { redis.call('GET', P .. 'epoch'), redis.call('HGETALL', own) }
`

const RENEW = `${IS_CURRENT}
redis.call('ZADD', P .. 'leases', now() + ARGV[3], me)
return 1
`

/**
 * Performs operations in order. An `enter`, `exit` or `missing` whose answer was lost may be repeated. Answers to `enter`: 0 do not
 * announce the arrival, 1 announce it, 2 announce it `ARGV[3]` ms later, because another instance is announcing a departure just now.
 * Answers to the other operations: 1 where this instance has to announce the user's departure, otherwise 0.
 */
const APPLY = `${IS_CURRENT}
local results = {}
for i = 4, #ARGV, 3 do
  local op, field, info = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local online, left, user = keys(field)
  local held = redis.call('HGET', own, field)
  local flag = held and string.sub(held, 1, 1)
  local here = flag == '0' or flag == '1'
  local result = flag == '-' and 1 or 0
  if op == 'enter' then
    if here then
      result = tonumber(flag)
    else
      local first = redis.call('HINCRBY', online, user, 1) == 1
      result = (redis.call('HDEL', left, user) == 0 and first) and 1 or 0
      redis.call('HSET', own, field, result .. info)
      if result == 1 and redis.call('EXISTS', P .. 'told:' .. field) == 1 then result = 2 end
    end
  elseif op == 'exit' and here then
    if leave(online, user) then
      mark(left, user, field, info)
      result = 1
    else
      redis.call('HDEL', own, field)
    end
  elseif op == 'missing' and not flag then
    if redis.call('HEXISTS', online, user) == 0 and redis.call('HEXISTS', left, user) == 0 then
      mark(left, user, field, info)
      result = 1
    end
  elseif op == 'settle' and flag == '-' then
    redis.call('HDEL', own, field)
    result = redis.call('HGET', left, user) == me and redis.call('HDEL', left, user) or 0
    if result == 1 then redis.call('SET', P .. 'told:' .. field, '', 'PX', ARGV[3]) end
  end
  results[#results + 1] = result
end
return results
`

/** Takes over up to `ARGV[3]` entries of a dead instance. This instance announces the departures of users who are online nowhere else. */
const REAP = `${IS_CURRENT}
local dead = redis.call('ZRANGEBYSCORE', P .. 'leases', '-inf', now(), 'LIMIT', 0, 1)[1]
if not dead or dead == me then return {} end
local theirs = P .. 'own:' .. dead
redis.call('HDEL', theirs, '')
local entries = redis.call('HRANDFIELD', theirs, ARGV[3], 'WITHVALUES')
local taken = { 1 }
for i = 1, #entries, 2 do
  local field, held = entries[i], entries[i + 1]
  local flag, info = string.sub(held, 1, 1), string.sub(held, 2)
  local online, left, user = keys(field)
  redis.call('HDEL', theirs, field)
  local gone = false
  if flag == '-' then gone = redis.call('HGET', left, user) == dead else gone = leave(online, user) end
  if gone then
    mark(left, user, field, info)
    taken[#taken + 1] = field
    taken[#taken + 1] = info
  end
end
if redis.call('EXISTS', theirs) == 0 then redis.call('ZREM', P .. 'leases', dead) end
return taken
`

export type StepResult = 0 | 1 | 2

declare module 'ioredis' {
  interface RedisCommander<Context> {
    presenceJoin (prefix: string, me: string, generation: number, lease: number, epoch: string): Result<[string, string[]], Context>
    presenceRenew (prefix: string, me: string, generation: number, lease: number): Result<1 | null, Context>
    presenceApply (
      prefix: string, me: string, generation: number, delay: number, ...operations: string[]
    ): Result<StepResult[] | null, Context>
    presenceReap (prefix: string, me: string, generation: number, limit: number): Result<[] | [1, ...string[]] | null, Context>
  }
}

export function defineScripts (redis: Redis): void {
  redis.defineCommand('presenceJoin', { numberOfKeys: 1, lua: JOIN })
  redis.defineCommand('presenceRenew', { numberOfKeys: 1, lua: RENEW })
  redis.defineCommand('presenceApply', { numberOfKeys: 1, lua: APPLY })
  redis.defineCommand('presenceReap', { numberOfKeys: 1, lua: REAP })
}
