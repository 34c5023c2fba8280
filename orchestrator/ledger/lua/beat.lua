-- beat: a worker says that it lives; the answer says whether to go on.
-- KEYS  run, shards, cancelled, leases
-- ARGV  run id, shard, owner, task, lease seconds
-- Returns {"ok", 0}, {"cancelled", ms since it was asked for} (end the task) or {"stale", 0} (the shard was taken back:
-- end, and keep the result to yourself).
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
if redis.call('HGET', KEYS[2], ARGV[2] .. '|owner') ~= ARGV[3] then return {'stale', 0} end
redis.call('ZADD', KEYS[4], now + ARGV[5], ARGV[1] .. '|' .. ARGV[2])
local asked = redis.call('HGET', KEYS[1], 'cancel_at') or redis.call('HGET', KEYS[3], ARGV[4])
if asked then return {'cancelled', math.max(0, math.floor((now - asked) * 1000))} end
return {'ok', 0}
