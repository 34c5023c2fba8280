-- expire: the worker's main process saw the task's process die, so nobody needs to wait for the lease.
-- KEYS  shards, leases
-- ARGV  run id, shard, delivery
-- Returns 1 when a lease was cut short, else 0.
if redis.call('HGET', KEYS[1], ARGV[2] .. '|delivery') ~= ARGV[3] then return 0 end
local member = ARGV[1] .. '|' .. ARGV[2]
if not redis.call('ZSCORE', KEYS[2], member) then return 0 end
redis.call('ZADD', KEYS[2], 0, member)
return 1
