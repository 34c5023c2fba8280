-- beat: a worker says that it lives; the answer says whether to go on.
-- KEYS  run, shards, cancelled, leases
-- ARGV  run id, shard, owner, task, lease seconds
-- Returns "ok", "cancelled" (end the task) or "stale" (somebody else has the shard: end, and keep the result to yourself).
if redis.call('HGET', KEYS[2], ARGV[2] .. '|owner') ~= ARGV[3] then return 'stale' end
local clock = redis.call('TIME')
redis.call('ZADD', KEYS[4], clock[1] + clock[2] / 1000000 + ARGV[5], ARGV[1] .. '|' .. ARGV[2])
if redis.call('HEXISTS', KEYS[1], 'cancel') == 1 or redis.call('SISMEMBER', KEYS[3], ARGV[4]) == 1 then
  return 'cancelled'
end
return 'ok'
