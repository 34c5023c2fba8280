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
local place = redis.call('HMGET', KEYS[4], shard .. '|owner', shard .. '|left')
if place[1] ~= ARGV[3] then return 'stale' end
if redis.call('HGET', KEYS[3], task) ~= ARGV[5] then return 'stale' end
local doubt, current = redis.call('HGET', KEYS[9], task), redis.call('HGET', KEYS[2], task)
local header = redis.call('HMGET', KEYS[1], 'running', 'pending', 'cancel', 'cost')
if current ~= 'running' then
  -- pending with its owner and attempt as they were: only "again" leaves a task so
  if current == 'pending' and (state == 'error' or doubt == result) then return 'again' end
  local kept = state == 'error' and doubt or result
  if redis.call('HGET', KEYS[5], task) ~= kept then return 'stale' end
  return header[1] == '0' and header[2] == '0' and 'complete' or 'ok'
end
local running, cost = header[1] - 1, string.format('%.3f', (header[4] or 0) + ARGV[8])
local down = state == 'error' and tonumber(ARGV[5]) < tonumber(ARGV[12])
local unsure = state == 'failed' and ARGV[13] == '1' and not doubt
if (down or unsure) and not header[3] and redis.call('HEXISTS', KEYS[8], task) == 0 then
  if unsure then redis.call('HSET', KEYS[9], task, result) end
  redis.call('HSET', KEYS[4], shard .. '|task', '')
  redis.call('HSET', KEYS[2], task, 'pending')
  redis.call('HSET', KEYS[1], 'running', running, 'pending', header[2] + 1, 'cost', cost)
  redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'kind', 'retried', 'task', task, 'attempt', ARGV[5],
    'state', 'pending', 'seconds', ARGV[8], 'host', ARGV[3], 'why', state)
  return 'again'
end
if doubt and state == 'error' then
  local first = cjson.decode(doubt)
  state, result, passed, failed, skipped = 'failed', doubt, first.passed, first.failed, first.skipped
end
local counts = redis.call('HMGET', KEYS[1], 'cases_passed', 'cases_failed', 'cases_skipped', state, 'flaky')
local flaky = doubt and state == 'passed' and 1 or 0
redis.call('HSET', KEYS[1], 'running', running, 'cost', cost, 'cases_passed', (counts[1] or 0) + passed,
  'cases_failed', (counts[2] or 0) + failed, 'cases_skipped', (counts[3] or 0) + skipped, state, (counts[4] or 0) + 1,
  'flaky', (counts[5] or 0) + flaky)
redis.call('HSET', KEYS[2], task, state)
redis.call('HSET', KEYS[5], task, result)
redis.call('HSET', KEYS[4], shard .. '|task', '', shard .. '|left', place[2] - 1)
redis.call('XADD', KEYS[7], 'MAXLEN', '~', 10000, '*', 'kind', 'finished', 'task', task, 'attempt', ARGV[5],
  'state', state, 'seconds', ARGV[8], 'host', ARGV[3])
if place[2] == '1' then redis.call('ZREM', KEYS[6], ARGV[1] .. '|' .. shard) end
return running == 0 and header[2] == '0' and 'complete' or 'ok'
