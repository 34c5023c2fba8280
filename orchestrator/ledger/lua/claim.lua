-- claim: accept an order once, and take what it costs from the caller's budget of the day, in one step.
-- KEYS  order, budget
-- ARGV  fingerprint of the order, run id it would make, seconds to remember it, runs it starts, its runner-seconds,
--       runs allowed a day, runner-seconds allowed a day (-1: no limit), seconds to keep the budget,
--       what was asked for (empty: nothing beside the order): asked for again it is the same order
-- Returns {"new", run}, {"again", run of the first time}, {"other", run} (the key was used for another order),
--         {"runs", used} or {"seconds", used} (the budget does not cover it: nothing was taken).
local known = redis.call('HMGET', KEYS[1], 'fingerprint', 'run', 'asked')
local same = known[1] == ARGV[1] or (ARGV[9] ~= '' and known[3] == ARGV[9])
if known[1] then return {same and 'again' or 'other', known[2]} end
local used = redis.call('HMGET', KEYS[2], 'runs', 'seconds')
local runs, seconds = tonumber(used[1] or '0'), tonumber(used[2] or '0')
if tonumber(ARGV[6]) >= 0 and runs + ARGV[4] > tonumber(ARGV[6]) then return {'runs', tostring(runs)} end
if tonumber(ARGV[7]) >= 0 and seconds + ARGV[5] > tonumber(ARGV[7]) then return {'seconds', tostring(seconds)} end
redis.call('HSET', KEYS[1], 'fingerprint', ARGV[1], 'run', ARGV[2], 'asked', ARGV[9])
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('HINCRBY', KEYS[2], 'runs', ARGV[4])
redis.call('HINCRBYFLOAT', KEYS[2], 'seconds', ARGV[5])
redis.call('EXPIRE', KEYS[2], ARGV[8])
return {'new', ARGV[2]}
