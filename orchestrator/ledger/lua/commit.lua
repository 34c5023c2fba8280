-- commit: let exactly one caller write the summary of a complete run. The permit expires, so that a caller that dies
-- half-way is followed by another; what it wrote is keyed by the run id and not written twice.
-- KEYS  run
-- ARGV  token, permit seconds
-- Returns "ok", "open" (tasks are left), "taken" (another caller holds the permit), "done" or "gone".
local state = redis.call('HGET', KEYS[1], 'state')
if not state then return 'gone' end
if state ~= 'running' then return 'done' end
if redis.call('HGET', KEYS[1], 'pending') ~= '0' or redis.call('HGET', KEYS[1], 'running') ~= '0' then return 'open' end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local permit = tonumber(redis.call('HGET', KEYS[1], 'permit_until') or 0)
if permit > now and redis.call('HGET', KEYS[1], 'permit') ~= ARGV[1] then return 'taken' end
redis.call('HSET', KEYS[1], 'permit', ARGV[1], 'permit_until', now + ARGV[2])
redis.call('HSETNX', KEYS[1], 'ended', now)
return 'ok'
