-- finish: record how an attempt ended. The first finish of a task's current attempt wins; every later one is refused.
-- An attempt that infrastructure took down is not final while tries are left; a first failure is kept as a doubt until
-- one more try confirms it. If that try itself is taken down for good, the failure stands.
-- Who asks again because the answer was lost (same owner, attempt and result) is told the same, and nothing changes.
-- KEYS  run, tasks, attempts, shards, results, leases, events, cancelled, doubts
-- ARGV  run id, shard, owner, task, attempt, state, result JSON, seconds, cases passed, failed, skipped,
--       tries allowed, "1" when a failure wants to be confirmed
-- Returns "ok", "complete" (this was the run's last task), "again" (the task is pending once more) or "stale".
local shard, task, state, result = ARGV[2], ARGV[4], ARGV[6], ARGV[7]
local passed, failed, skipped = ARGV[9], ARGV[10], ARGV[11]
if redis.call('HGET', KEYS[4], shard .. '|owner') ~= ARGV[3] then return 'stale' end
if redis.call('HGET', KEYS[3], task) ~= ARGV[5] then return 'stale' end
local function recorded()
  local over = redis.call('HGET', KEYS[1], 'running') == '0' and redis.call('HGET', KEYS[1], 'pending') == '0'
  return over and 'complete' or 'ok'
end
local doubt, current = redis.call('HGET', KEYS[9], task), redis.call('HGET', KEYS[2], task)
if current ~= 'running' then
  -- pending with its owner and attempt as they were: only "again" leaves a task so
  if current == 'pending' and (state == 'error' or doubt == result) then return 'again' end
  local kept = state == 'error' and doubt or result
  return redis.call('HGET', KEYS[5], task) == kept and recorded() or 'stale'
end
redis.call('HINCRBYFLOAT', KEYS[1], 'cost', ARGV[8])
redis.call('HDEL', KEYS[4], shard .. '|task')
local wanted = redis.call('HEXISTS', KEYS[1], 'cancel') == 0 and redis.call('HEXISTS', KEYS[8], task) == 0
local down = state == 'error' and tonumber(ARGV[5]) < tonumber(ARGV[12])
if wanted and (down or (state == 'failed' and ARGV[13] == '1' and not doubt)) then
  if state == 'failed' then redis.call('HSET', KEYS[9], task, result) end
  redis.call('HSET', KEYS[2], task, 'pending')
  redis.call('HINCRBY', KEYS[1], 'running', -1)
  redis.call('HINCRBY', KEYS[1], 'pending', 1)
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'kind', 'retried', 'task', task, 'attempt', ARGV[5],
    'state', 'pending', 'seconds', ARGV[8], 'host', ARGV[3], 'why', state)
  return 'again'
end
if doubt and state == 'error' then
  local first = cjson.decode(doubt)
  state, result, passed, failed, skipped = 'failed', doubt, first.passed, first.failed, first.skipped
end
redis.call('HSET', KEYS[2], task, state)
redis.call('HSET', KEYS[5], task, result)
redis.call('HINCRBY', KEYS[1], 'cases_passed', passed)
redis.call('HINCRBY', KEYS[1], 'cases_failed', failed)
redis.call('HINCRBY', KEYS[1], 'cases_skipped', skipped)
redis.call('HINCRBY', KEYS[1], state, 1)
if doubt and state == 'passed' then redis.call('HINCRBY', KEYS[1], 'flaky', 1) end
redis.call('HINCRBY', KEYS[1], 'running', -1)
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'kind', 'finished', 'task', task, 'attempt', ARGV[5],
  'state', state, 'seconds', ARGV[8], 'host', ARGV[3])
if redis.call('HINCRBY', KEYS[4], shard .. '|left', -1) == 0 then
  redis.call('ZREM', KEYS[6], ARGV[1] .. '|' .. shard)
end
return recorded()
