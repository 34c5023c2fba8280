-- close: the history has the run; it gets its final state here and leaves Redis after a while.
-- KEYS  run, active, events, then every other key of the run
-- ARGV  run id, final state, seconds to keep
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return 'done' end
redis.call('HSET', KEYS[1], 'state', ARGV[2])
redis.call('ZREM', KEYS[2], ARGV[1])
redis.call('XADD', KEYS[3], 'MAXLEN', '~', 10000, '*', 'kind', 'ended', 'state', ARGV[2])
redis.call('EXPIRE', KEYS[1], ARGV[3])
for i = 3, #KEYS do redis.call('EXPIRE', KEYS[i], ARGV[3]) end
return 'ok'
