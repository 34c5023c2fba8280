-- cancel: the flag is the truth; running tasks see it at their next beat, pending ones of this chunk end here.
-- KEYS  run, tasks, shards, cancelled, queued, events
-- ARGV  run id, who, "run", "task" or "waiting" (what runs goes on), then pairs of task id and its shard (a chunk:
--       callers pass at most a few hundred)
-- Returns {how many ended now, "complete" | "open" | "gone"}.
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return {0, 'gone'} end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
if ARGV[3] == 'run' and redis.call('HSETNX', KEYS[1], 'cancel', ARGV[2]) == 1 then
  redis.call('HSET', KEYS[1], 'cancel_at', now)
end
local ended = 0
for i = 4, #ARGV, 2 do
  local task, shard = ARGV[i], ARGV[i + 1]
  local state = redis.call('HGET', KEYS[2], task)
  if state == 'pending' or (state == 'running' and ARGV[3] ~= 'waiting') then redis.call('HSETNX', KEYS[4], task, now) end
  if state == 'pending' then
    redis.call('HSET', KEYS[2], task, 'cancelled')
    redis.call('XADD', KEYS[6], 'MAXLEN', '~', 10000, '*', 'kind', 'finished', 'task', task, 'attempt', 0,
      'state', 'cancelled', 'seconds', 0, 'by', ARGV[2])
    ended = ended + 1
    if redis.call('HINCRBY', KEYS[3], shard .. '|left', -1) == 0 then
      redis.call('ZREM', KEYS[5], ARGV[1] .. '|' .. shard)
    end
  end
end
local pending = redis.call('HINCRBY', KEYS[1], 'pending', 0 - ended)  -- minus zero is no integer to Redis
redis.call('HINCRBY', KEYS[1], 'cancelled', ended)
if pending == 0 and redis.call('HGET', KEYS[1], 'running') == '0' then return {ended, 'complete'} end
return {ended, 'open'}
