import type { Redis, Result } from 'ioredis'

/**
 * Keys of presence in Redis, under `<prefix>presence:`.
 *
 *   current                   the current epoch, a random text of eight characters. Redis may lose any key (eviction, an empty restart,
 *                             a mistake). Whoever notices a loss makes this key empty: all instances then join a new epoch and enter
 *                             their users again.
 *   rebuilt                   exists for a moment after an epoch has replaced another one: no further epoch begins meanwhile
 *   instance:<instance>       hash: `<channel id>|<user id>` → flag, epoch that the entry counts in, and info. Flags: `1` online here,
 *                             entered as the first in the cluster; `0` online here; `-` left, this instance has to announce the
 *                             departure. The field '' holds the epoch that the instance has joined and the generation of its connection:
 *                             commands of an earlier connection, which a stopped server may execute late, have no effect. While other
 *                             instances take over a dead instance's entries, the generation is `dead`; then the field '' is `reaped` for
 *                             a while, and is the only field.
 *
 * An epoch has keys of its own, so that what is left of an earlier one counts for nothing. Under `<prefix>presence:<epoch>:`
 *
 *   leases                    sorted set: instance → time from which it counts as dead, in ms of Redis' clock
 *   online:<channel>          hash: user → number of instances on which the user is online
 *   channels                  set: every channel that has the key `online:<channel>`, and '', which shows that the set was not lost
 *   left                      hash: `<channel id>|<user id>` → the instance that will announce the user's departure unless the user
 *                             returns first. The field '' shows that the hash was not lost.
 *   told:<field>              exists for a moment after a departure was announced
 *   sweep                     the instance that removes what is left of earlier epochs; `done` after that
 */
const PARTS = `
local P, me, gen, epoch = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local own = P .. 'instance:' .. me
local E = P .. epoch .. ':'
local function now ()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end
local function lost ()
  redis.call('SET', P .. 'current', '')
  return false
end
local function split (field)
  local bar = string.find(field, '|', 1, true)
  return string.sub(field, 1, bar - 1), string.sub(field, bar + 1)
end
local function vanished (channel)
  return redis.call('EXISTS', E .. 'online:' .. channel) == 0 and redis.call('SISMEMBER', E .. 'channels', channel) == 1
end
local function leave (channel, user)
  local online = E .. 'online:' .. channel
  if redis.call('HINCRBY', online, user, -1) > 0 then return false end
  redis.call('HDEL', online, user)
  if redis.call('EXISTS', online) == 0 then redis.call('SREM', E .. 'channels', channel) end
  return true
end
local function unpacked (entry)
  return string.sub(entry, 1, 1), string.sub(entry, 2, 9) == epoch, string.sub(entry, 10)
end
local function mark (field, info)
  redis.call('HSET', E .. 'left', field, me)
  redis.call('HSET', own, field, '-' .. epoch .. info)
end
local function absent (channel, user, field)
  return redis.call('HEXISTS', E .. 'online:' .. channel, user) == 0 and redis.call('HEXISTS', E .. 'left', field) == 0
end
`
const IS_CURRENT = `${PARTS}
if redis.call('GET', P .. 'current') ~= epoch or redis.call('HGET', own, '') ~= epoch .. ' ' .. gen then return false end
if not redis.call('ZSCORE', E .. 'leases', me) or redis.call('SISMEMBER', E .. 'channels', '') == 0
  or redis.call('HEXISTS', E .. 'left', '') == 0 then return lost() end
`

/**
 * Joins the current epoch, or begins one. `epoch` is the one that this instance was in before, '' for none. Answers '' and the
 * milliseconds to wait if a new epoch is needed too soon after the last one.
 */
const JOIN = `${PARTS}
local lease, grace, fresh = ARGV[4], ARGV[5], ARGV[6]
local known, current = epoch, redis.call('GET', P .. 'current')
local held = redis.call('HGET', own, '') or ''
local counted = string.match(held, '^(%S+) ') == current
local isLost = current == ''
if current and not isLost then
  if counted then isLost = not redis.call('ZSCORE', P .. current .. ':leases', me)
  else isLost = known == current and held ~= 'reaped' end
end
if isLost or not current then
  if isLost or known ~= '' then
    local wait = redis.call('PTTL', P .. 'rebuilt')
    if wait > 0 then
      redis.call('SET', P .. 'current', '')
      return { '', wait, 0, {} }
    end
    redis.call('SET', P .. 'rebuilt', '', 'PX', grace)
  end
  current = fresh
  redis.call('SET', P .. 'current', fresh)
  redis.call('SADD', P .. fresh .. ':channels', '')
  redis.call('HSET', P .. fresh .. ':left', '', '')
end
redis.call('HSET', own, '', current .. ' ' .. gen)
redis.call('PERSIST', own)
redis.call('ZADD', P .. current .. ':leases', now() + lease, me)
local isReaped = held == 'reaped' or string.match(held, ' dead$')
return { current, math.max(redis.call('PTTL', P .. 'rebuilt'), 0), isReaped and 1 or 0, redis.call('HGETALL', own) }
`

/** Renews the lease and looks whether the keys of these channels are there. Answers 2 if this instance has to sweep, otherwise 1. */
const RENEW = `${IS_CURRENT}
local lease, sweepTimeout = ARGV[4], ARGV[5]
redis.call('ZADD', E .. 'leases', now() + lease, me)
local online = {}
for i = 6, #ARGV do online[#online + 1] = E .. 'online:' .. ARGV[i] end
-- A key may be missing because the channel has no users any more, or not yet.
if #online > 0 and redis.call('EXISTS', unpack(online)) < #online then
  for i = 6, #ARGV do
    if vanished(ARGV[i]) then return lost() end
  end
end
local sweeper = redis.call('GET', E .. 'sweep')
if sweeper and (sweeper == 'done' or tonumber(redis.call('ZSCORE', E .. 'leases', sweeper) or 0) > now()) then return 1 end
redis.call('SET', E .. 'sweep', me, 'PX', sweepTimeout)
return 2
`

/**
 * Performs operations in order. An `enter`, `exit` or `missing` whose answer was lost may be repeated. Answers to `enter`: 0 do not
 * announce the arrival, 1 announce it, 2 announce it `ARGV[4]` ms later, because another instance is announcing a departure just now.
 * Answers to the other operations: 1 where this instance has to announce the user's departure, otherwise 0.
 */
const APPLY = `${IS_CURRENT}
local delay, results = ARGV[4], {}
for i = 5, #ARGV, 3 do
  local op, field, info = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local channel, user = split(field)
  if vanished(channel) then return lost() end
  local flag, counts = unpacked(redis.call('HGET', own, field) or '')
  local here = counts and flag ~= '-'
  local leaving = counts and flag == '-'
  local result = leaving and 1 or 0
  if op == 'enter' then
    if here then
      result = tonumber(flag)
    else
      local first = redis.call('HINCRBY', E .. 'online:' .. channel, user, 1) == 1
      if first then redis.call('SADD', E .. 'channels', channel) end
      result = (redis.call('HDEL', E .. 'left', field) == 0 and first) and 1 or 0
      redis.call('HSET', own, field, result .. epoch .. info)
      if result == 1 and redis.call('EXISTS', E .. 'told:' .. field) == 1 then result = 2 end
    end
  elseif op == 'settle' and leaving then
    redis.call('HDEL', own, field)
    result = redis.call('HGET', E .. 'left', field) == me and redis.call('HDEL', E .. 'left', field) or 0
    if result == 1 then redis.call('SET', E .. 'told:' .. field, '', 'PX', delay) end
  elseif (op == 'exit' or op == 'missing') and not leaving then
    local gone
    if here then gone = leave(channel, user) else gone = op == 'missing' and absent(channel, user, field) end
    if gone then
      mark(field, info)
      result = 1
    else
      redis.call('HDEL', own, field)
    end
  end
  results[#results + 1] = result
end
return results
`

/** Takes over up to `ARGV[4]` entries of a dead instance. This instance announces the departures of users who are online nowhere else. */
const REAP = `${IS_CURRENT}
local limit, tombstone = ARGV[4], ARGV[5]
local dead = redis.call('ZRANGEBYSCORE', E .. 'leases', '-inf', now(), 'LIMIT', 0, 1)[1]
if not dead or dead == me then return {} end
local theirs = P .. 'instance:' .. dead
local since = string.match(redis.call('HGET', theirs, '') or '', '^(%S+) ')
if not since then return lost() end
local entries = redis.call('HRANDFIELD', theirs, limit, 'WITHVALUES')
-- Nothing may change before it is clear that no key is missing: what this call has taken over would be forgotten.
for i = 1, #entries, 2 do
  if entries[i] ~= '' and vanished((split(entries[i]))) then return lost() end
end
redis.call('HSET', theirs, '', since .. ' dead')
local taken = { 1 }
for i = 1, #entries, 2 do
  local field, held = entries[i], entries[i + 1]
  if field ~= '' then
    local flag, counts, info = unpacked(held)
    local channel, user = split(field)
    redis.call('HDEL', theirs, field)
    local gone
    if not counts then gone = absent(channel, user, field)
    elseif flag == '-' then gone = redis.call('HGET', E .. 'left', field) == dead
    else gone = leave(channel, user) end
    if gone then
      mark(field, info)
      taken[#taken + 1] = field
      taken[#taken + 1] = info
    end
  end
end
if redis.call('HLEN', theirs) == 1 then
  redis.call('HSET', theirs, '', 'reaped')
  redis.call('PEXPIRE', theirs, tombstone)
  redis.call('ZREM', E .. 'leases', dead)
end
return taken
`

/**
 * Removes those of the given keys that belong to an earlier epoch. Instances without a lease in this epoch get one: if they are dead,
 * their users' departures are announced when it has expired. `ARGV[5]` is 1 with the last keys.
 */
const SWEEP = `${IS_CURRENT}
local lease, isLast = ARGV[4], ARGV[5]
for i = 6, #ARGV do
  local name = ARGV[i]
  local instance = string.match(name, '^instance:(%x+)$')
  local of = string.match(name, '^(%x+):')
  if instance then
    local held = redis.call('HGET', P .. name, '')
    if held and held ~= 'reaped' then redis.call('ZADD', E .. 'leases', 'NX', now() + lease, instance) end
  elseif of and of ~= epoch then
    redis.call('UNLINK', P .. name)
  end
end
if isLast == '1' then redis.call('SET', E .. 'sweep', 'done') end
return 1
`

export type StepResult = 0 | 1 | 2

/** Length of an epoch's name. The scripts count on it. */
export const EPOCH_LENGTH = 8

/** An entry of this instance, as Redis stores it. `counts`: the entry belongs to the epoch that was asked for. */
export interface StoredEntry { flag: string, counts: boolean, info: string }

/** Parses a value of the hash `instance:<instance>`. */
export function parseEntry (value: string, epoch: string): StoredEntry {
  return { flag: value[0]!, counts: value.slice(1, 1 + EPOCH_LENGTH) === epoch, info: value.slice(1 + EPOCH_LENGTH) }
}

/** Answers of null mean that the instance has to join again: its lease or the epoch is over, or a key of the epoch is missing. */
declare module 'ioredis' {
  interface RedisCommander<Context> {
    presenceJoin (
      prefix: string, me: string, generation: number, known: string, lease: number, grace: number, fresh: string
    ): Result<[epoch: string, wait: number, isReaped: 0 | 1, entries: string[]], Context>
    presenceRenew (
      prefix: string, me: string, generation: number, epoch: string, lease: number, sweepTimeout: number, ...channelIds: string[]
    ): Result<1 | 2 | null, Context>
    presenceApply (
      prefix: string, me: string, generation: number, epoch: string, delay: number, ...operations: string[]
    ): Result<StepResult[] | null, Context>
    presenceReap (
      prefix: string, me: string, generation: number, epoch: string, limit: number, tombstone: number
    ): Result<[] | [1, ...string[]] | null, Context>
    presenceSweep (
      prefix: string, me: string, generation: number, epoch: string, lease: number, isLast: 0 | 1, ...names: string[]
    ): Result<1 | null, Context>
  }
}

export function defineScripts (redis: Redis): void {
  redis.defineCommand('presenceJoin', { numberOfKeys: 1, lua: JOIN })
  redis.defineCommand('presenceRenew', { numberOfKeys: 1, lua: RENEW })
  redis.defineCommand('presenceApply', { numberOfKeys: 1, lua: APPLY })
  redis.defineCommand('presenceReap', { numberOfKeys: 1, lua: REAP })
  redis.defineCommand('presenceSweep', { numberOfKeys: 1, lua: SWEEP })
}
