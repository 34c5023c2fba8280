-- Takes one slot of a rolling window, or says how long to wait for one.
--
-- KEYS  1 attempts (sorted set, score: Unix seconds of the attempt)   2 blocked (a key that lives while nothing may leave)
-- ARGV  1 name of the attempt; empty: only ask   then pairs: limit, seconds
-- returns seconds to wait as text; "0" when the slot is taken (or would be)
--
-- Who only asks is paced once half of a window is used: a message each seconds/limit, so that many things to tell gather
-- into a few messages instead of spending the window at once and being silent for the rest of it.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local wait, longest = math.max(0, redis.call('PTTL', KEYS[2]) / 1000), 0
for at = 2, #ARGV, 2 do
  local limit, seconds = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local oldest = redis.call('ZRANGE', KEYS[1], -limit, -limit, 'WITHSCORES')
  if oldest[2] then wait = math.max(wait, oldest[2] + seconds - now) end
  local half = redis.call('ZRANGE', KEYS[1], -math.ceil(limit / 2), -math.ceil(limit / 2), 'WITHSCORES')
  if ARGV[1] == '' and half[2] and half[2] + seconds > now then
    local newest = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
    wait = math.max(wait, newest[2] + seconds / limit - now)
  end
  longest = math.max(longest, seconds)
end
if wait > 0 then return string.format('%.3f', math.max(0.001, wait)) end -- never so little that it reads as nothing
if ARGV[1] ~= '' then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
  redis.call('ZADD', KEYS[1], string.format('%.6f', now), ARGV[1])
  redis.call('PEXPIRE', KEYS[1], math.ceil(longest * 1000))
end
return '0'
