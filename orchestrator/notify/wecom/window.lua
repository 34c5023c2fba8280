-- Takes one slot of a rolling window, or says how long to wait for one.
--
-- KEYS  1 attempts (sorted set, score: Unix seconds of the attempt)   2 blocked (a key that lives while nothing may leave)
-- ARGV  1 name of the attempt; empty: only ask   then pairs: limit, seconds
-- returns seconds to wait as text; "0" when the slot is taken (or would be)
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local wait, longest = math.max(0, redis.call('PTTL', KEYS[2]) / 1000), 0
for at = 2, #ARGV, 2 do
  local limit, seconds = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local oldest = redis.call('ZRANGE', KEYS[1], -limit, -limit, 'WITHSCORES')
  if oldest[2] then wait = math.max(wait, oldest[2] + seconds - now) end
  longest = math.max(longest, seconds)
end
if wait <= 0 and ARGV[1] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
  redis.call('ZADD', KEYS[1], string.format('%.6f', now), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], math.ceil(longest * 1000))
end
return string.format('%.3f', wait)
