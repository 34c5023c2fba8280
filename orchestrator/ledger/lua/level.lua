-- level: send a shard that waits again, at a better level; its older message becomes stale.
-- KEYS  run, shards, queued
-- ARGV  run id, shard, delivery that was seen, new level
-- Returns the number of the new delivery, or 0 when the shard no longer waits, or moved on meanwhile.
local shard, member = ARGV[2], ARGV[1] .. '|' .. ARGV[2]
if redis.call('HGET', KEYS[1], 'state') ~= 'running' or redis.call('HEXISTS', KEYS[1], 'cancel') == 1 then return 0 end
if redis.call('HGET', KEYS[2], shard .. '|delivery') ~= ARGV[3] then return 0 end
if redis.call('HGET', KEYS[2], shard .. '|owner') ~= '' or not redis.call('ZSCORE', KEYS[3], member) then return 0 end
if tonumber(redis.call('HGET', KEYS[2], shard .. '|priority')) <= tonumber(ARGV[4]) then return 0 end
local clock = redis.call('TIME')
redis.call('HSET', KEYS[2], shard .. '|priority', ARGV[4])
redis.call('ZADD', KEYS[3], clock[1] + clock[2] / 1000000, member)
return redis.call('HINCRBY', KEYS[2], shard .. '|delivery', 1)
