-- start: the gate before a task executes. Refuses what is finished, cancelled, stale or already running.
-- KEYS  run, tasks, attempts, shards, cancelled, leases, queued, events
-- ARGV  run id, shard, delivery, owner, task, lease seconds
-- Returns {"ok", attempt} or {"gone" | "cancelled" | "stale" | "duplicate" | "finished", 0}.
local run, shard, owner, task = ARGV[1], ARGV[2], ARGV[4], ARGV[5]
local state = redis.call('HGET', KEYS[2], task)
if not state or redis.call('HGET', KEYS[1], 'state') ~= 'running' then return {'gone', 0} end
if redis.call('HGET', KEYS[4], shard .. '|delivery') ~= ARGV[3] then return {'stale', 0} end
local holder = redis.call('HGET', KEYS[4], shard .. '|owner')
if holder ~= '' and holder ~= owner then return {'duplicate', 0} end
if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 or redis.call('HEXISTS', KEYS[5], task) == 1 then
  return {'cancelled', 0}
end
if state == 'running' then return {'duplicate', 0} end
if state ~= 'pending' then return {'finished', 0} end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local attempt = redis.call('HINCRBY', KEYS[3], task, 1)
if holder == '' then redis.call('HSET', KEYS[4], shard .. '|taken', now) end
redis.call('HSET', KEYS[2], task, 'running')
redis.call('HSET', KEYS[4], shard .. '|owner', owner, shard .. '|task', task, shard .. '|started', now)
redis.call('HINCRBY', KEYS[1], 'pending', -1)
redis.call('HINCRBY', KEYS[1], 'running', 1)
redis.call('ZADD', KEYS[6], now + ARGV[6], run .. '|' .. shard)
redis.call('ZREM', KEYS[7], run .. '|' .. shard)
redis.call('XADD', KEYS[8], 'MAXLEN', '~', 10000, '*', 'kind', 'started', 'task', task, 'attempt', attempt, 'host', owner)
return {'ok', attempt}
