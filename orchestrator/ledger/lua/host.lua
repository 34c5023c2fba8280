-- host: a worker host says what it is and does, and hears what it is to do.
-- KEYS  hosts, beats, wanted, scheme
-- ARGV  host, JSON record
-- Returns {JSON of what an operator wants of it or "", the scheme of the ledger in this Redis or ""}.
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], clock[1] + clock[2] / 1000000, ARGV[1])
return {redis.call('HGET', KEYS[3], ARGV[1]) or '', redis.call('GET', KEYS[4]) or ''}
