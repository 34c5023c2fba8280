-- reap: take one shard back from a worker that is silent (or whose message is lost) and make it ready for another.
-- A task whose tries are used up is lost, unless it had failed before: then that failure stands.
-- KEYS  run, tasks, attempts, shards, results, cancelled, leases, queued, events, doubts
-- ARGV  run id, shard, delivery that was seen, allowed attempts, "lease" (only if the lease expired) or "message" (only if never started)
-- Returns {"send", new delivery, queue, priority}, {"done"} (nothing left to run) or {"kept"} (it lives, or moved on meanwhile).
local run, shard, member = ARGV[1], ARGV[2], ARGV[1] .. '|' .. ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then
  redis.call('ZREM', KEYS[7], member); redis.call('ZREM', KEYS[8], member)
  return {'done'}
end
if redis.call('HGET', KEYS[4], shard .. '|delivery') ~= ARGV[3] then return {'kept'} end
if ARGV[5] == 'lease' then
  local expiry = redis.call('ZSCORE', KEYS[7], member)
  if not expiry or tonumber(expiry) > now then return {'kept'} end
elseif redis.call('HGET', KEYS[4], shard .. '|owner') ~= '' then return {'kept'} end
redis.call('ZREM', KEYS[7], member)
local task = redis.call('HGET', KEYS[4], shard .. '|task')
if task and task ~= '' and redis.call('HGET', KEYS[2], task) == 'running' then
  local state, attempt = 'pending', tonumber(redis.call('HGET', KEYS[3], task))
  if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 or redis.call('HEXISTS', KEYS[6], task) == 1 then state = 'cancelled'
  elseif attempt >= tonumber(ARGV[4]) then
    local doubt = redis.call('HGET', KEYS[10], task)
    state = doubt and 'failed' or 'lost'
    if doubt then
      local first = cjson.decode(doubt)
      redis.call('HSET', KEYS[5], task, doubt)
      redis.call('HINCRBY', KEYS[1], 'cases_passed', first.passed)
      redis.call('HINCRBY', KEYS[1], 'cases_failed', first.failed)
      redis.call('HINCRBY', KEYS[1], 'cases_skipped', first.skipped)
    end
  end
  redis.call('HSET', KEYS[2], task, state)
  redis.call('HINCRBY', KEYS[1], 'running', -1)
  redis.call('HINCRBY', KEYS[1], state, 1)
  redis.call('HINCRBY', KEYS[1], 'reaped', 1)
  redis.call('HSET', KEYS[4], shard .. '|task', '')
  redis.call('XADD', KEYS[9], 'MAXLEN', '~', 10000, '*', 'kind', state == 'pending' and 'retried' or 'finished',
    'task', task, 'attempt', attempt, 'state', state, 'seconds', 0, 'host', redis.call('HGET', KEYS[4], shard .. '|owner'),
    'why', 'silent')
  if state ~= 'pending' then redis.call('HINCRBY', KEYS[4], shard .. '|left', -1) end
end
redis.call('HSET', KEYS[4], shard .. '|owner', '')
if redis.call('HGET', KEYS[4], shard .. '|left') == '0' then return {'done'} end
local delivery = redis.call('HINCRBY', KEYS[4], shard .. '|delivery', 1)
redis.call('ZADD', KEYS[8], now, member)
return {'send', delivery, redis.call('HGET', KEYS[4], shard .. '|queue'), redis.call('HGET', KEYS[4], shard .. '|priority')}
