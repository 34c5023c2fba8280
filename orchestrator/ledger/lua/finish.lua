-- finish: record how an attempt ended. The first finish of a task's current attempt wins; every later one is refused.
-- KEYS  run, tasks, attempts, shards, results, leases, events
-- ARGV  run id, shard, owner, task, attempt, state, result JSON, seconds, cases passed, failed, skipped
-- Returns "ok", "complete" (this was the run's last task) or "stale".
local shard, task = ARGV[2], ARGV[4]
if redis.call('HGET', KEYS[4], shard .. '|owner') ~= ARGV[3] then return 'stale' end
if redis.call('HGET', KEYS[2], task) ~= 'running' or redis.call('HGET', KEYS[3], task) ~= ARGV[5] then return 'stale' end
redis.call('HSET', KEYS[2], task, ARGV[6])
redis.call('HSET', KEYS[5], task, ARGV[7])
redis.call('HINCRBYFLOAT', KEYS[1], 'cost', ARGV[8])
redis.call('HINCRBY', KEYS[1], 'cases_passed', ARGV[9])
redis.call('HINCRBY', KEYS[1], 'cases_failed', ARGV[10])
redis.call('HINCRBY', KEYS[1], 'cases_skipped', ARGV[11])
redis.call('HINCRBY', KEYS[1], ARGV[6], 1)
local running = redis.call('HINCRBY', KEYS[1], 'running', -1)
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'kind', 'finished', 'task', task, 'attempt', ARGV[5],
  'state', ARGV[6], 'seconds', ARGV[8])
redis.call('HDEL', KEYS[4], shard .. '|task')
if redis.call('HINCRBY', KEYS[4], shard .. '|left', -1) == 0 then
  redis.call('ZREM', KEYS[6], ARGV[1] .. '|' .. shard)
end
if running == 0 and redis.call('HGET', KEYS[1], 'pending') == '0' then return 'complete' end
return 'ok'
