-- build: who makes the artifact of a run in one artifact store; everybody else waits for it and uses it.
-- KEYS  run, builds
-- ARGV  store, owner, lease seconds, then to settle it: "done" or "failed", and a text (digest, or what went wrong); or
--       "free" and "": this host could not, and the next one need not wait for the lease
-- Returns {"mine", ""} (build it, and ask again within the lease), {"wait", ""}, {"done", digest}, {"failed", what} or
--       {"free", ""}, or {"gone", ""}: the run is over, or nobody knows it; nothing is written that would outlive it.
if redis.call('HGET', KEYS[1], 'state') ~= 'running' then return {'gone', ''} end
local store, owner = ARGV[1], ARGV[2]
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local state = redis.call('HGET', KEYS[2], store .. '|state')
if state then return {state, redis.call('HGET', KEYS[2], store .. '|text')} end
local holder = redis.call('HGET', KEYS[2], store .. '|owner')
if holder and holder ~= owner and tonumber(redis.call('HGET', KEYS[2], store .. '|until')) > now then return {'wait', ''} end
if ARGV[4] == 'free' then
  if holder == owner then redis.call('HDEL', KEYS[2], store .. '|owner', store .. '|until') end
  return {'free', ''}
end
if holder ~= owner then redis.call('HINCRBY', KEYS[1], 'builds', 1) end
redis.call('HSET', KEYS[2], store .. '|owner', owner, store .. '|until', now + ARGV[3])
if #ARGV < 5 then return {'mine', ''} end
redis.call('HSET', KEYS[2], store .. '|state', ARGV[4], store .. '|text', ARGV[5])
return {ARGV[4], ARGV[5]}
