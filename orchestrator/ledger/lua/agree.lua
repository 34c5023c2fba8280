-- agree: take a ledger of an older scheme over, once no run of it is under way.
-- KEYS  scheme, active runs of the older scheme
-- ARGV  the older scheme, ours
-- Returns {the scheme of the ledger now, runs of the older one that are under way}.
local now, open = redis.call('GET', KEYS[1]), redis.call('ZCARD', KEYS[2])
if now == ARGV[1] and open == 0 then
  redis.call('SET', KEYS[1], ARGV[2])
  now = ARGV[2]
end
return {now, open}
