-- fly: count one more run of the autopilot for a change, unless somebody has counted one since this was decided.
-- KEYS  flight
-- ARGV  runs that were counted when this one was decided, its estimated runner-seconds, seconds to keep the count
-- Returns {1, runs, seconds} with this one, or {0, runs, seconds} as they are: nothing was counted.
local used = redis.call('HMGET', KEYS[1], 'runs', 'seconds')
local runs = tonumber(used[1] or '0')
if runs ~= tonumber(ARGV[1]) then return {0, runs, used[2] or '0'} end
runs = redis.call('HINCRBY', KEYS[1], 'runs', 1)
local seconds = redis.call('HINCRBYFLOAT', KEYS[1], 'seconds', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
return {1, runs, seconds}
