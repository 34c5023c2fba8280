-- start: the gate before a task executes. Refuses what is finished, cancelled, stale or already running.
-- Who asks again because the answer was lost (same owner, the task it has) is told the same, and nothing changes.
-- KEYS  run, tasks, attempts, shards, cancelled, leases, queued, events, specs
-- ARGV  run id, shard, delivery, owner, task ("": the shard's first, and the answer has the shard's spec), lease seconds
-- Returns {"ok", attempt, spec} or {"gone" | "cancelled" | "stale" | "duplicate" | "finished", 0, spec}; the spec is ""
--         unless it was asked for and the ledger has it.
local run, shard, owner, task, spec = ARGV[1], ARGV[2], ARGV[4], ARGV[5], ''
if task == '' then
  spec = redis.call('HGET', KEYS[9], shard) or ''
  task = redis.call('HGET', KEYS[4], shard .. '|first') or ''
end
local header = redis.call('HMGET', KEYS[1], 'state', 'cancel', 'pending', 'running')
local state = redis.call('HGET', KEYS[2], task)
if not state or header[1] ~= 'running' then return {'gone', 0, spec} end
local place = redis.call('HMGET', KEYS[4], shard .. '|delivery', shard .. '|owner', shard .. '|task')
if place[1] ~= ARGV[3] then return {'stale', 0, spec} end
local holder = place[2]
if holder ~= '' and holder ~= owner then return {'duplicate', 0, spec} end
if state == 'running' then
  if holder == '' or place[3] ~= task then return {'duplicate', 0, spec} end
  return {'ok', redis.call('HGET', KEYS[3], task), spec}  -- a cancel since then is told by its next beat
end
if header[2] or redis.call('HEXISTS', KEYS[5], task) == 1 then return {'cancelled', 0, spec} end
if state ~= 'pending' then return {'finished', 0, spec} end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local attempt = redis.call('HINCRBY', KEYS[3], task, 1)
if holder == '' then
  redis.call('HSET', KEYS[4], shard .. '|owner', owner, shard .. '|task', task, shard .. '|started', now,
    shard .. '|taken|' .. ARGV[3], now)
  redis.call('ZREM', KEYS[7], run .. '|' .. shard)
else
  redis.call('HSET', KEYS[4], shard .. '|task', task, shard .. '|started', now)
end
redis.call('HSET', KEYS[2], task, 'running')
redis.call('HSET', KEYS[1], 'pending', header[3] - 1, 'running', header[4] + 1)
redis.call('ZADD', KEYS[6], now + ARGV[6], run .. '|' .. shard)
redis.call('XADD', KEYS[8], 'MAXLEN', '~', 10000, '*', 'kind', 'started', 'task', task, 'attempt', attempt, 'host', owner)
return {'ok', attempt, spec}
