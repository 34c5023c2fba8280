-- beat: a worker says that it lives; the answer says whether to go on.
-- KEYS  run, shards, cancelled, leases
-- ARGV  run id, shard, owner, task, lease seconds
-- Returns {"ok", 0}, {"cancelled", ms since it was asked for} (end the task) or {"stale", ms since another worker took
-- the shard, 0 when none has} (end, and keep the result to yourself).
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local function since(moment) return moment and math.max(0, math.floor((now - moment) * 1000)) or 0 end
local owner = redis.call('HGET', KEYS[2], ARGV[2] .. '|owner')
if owner ~= ARGV[3] then
  return {'stale', owner and owner ~= '' and since(redis.call('HGET', KEYS[2], ARGV[2] .. '|taken')) or 0}
end
redis.call('ZADD', KEYS[4], now + ARGV[5], ARGV[1] .. '|' .. ARGV[2])
local asked = redis.call('HGET', KEYS[1], 'cancel_at') or redis.call('HGET', KEYS[3], ARGV[4])
if asked then return {'cancelled', since(asked)} end
return {'ok', 0}
