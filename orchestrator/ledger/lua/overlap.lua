-- overlap: a worker that lost its shard says when its test was over: for how long two workers had a task, if they did.
-- KEYS  shards, events, overlaps
-- ARGV  shard, delivery that was its, task, owner, seconds since no process of its test was left
-- Returns {"overlap" | "yielded", seconds as text} (two had it for so long, or it was over so long before another began)
--         or {"alone", ""}: nobody else began, or the run has left Redis.
local current = tonumber(redis.call('HGET', KEYS[1], ARGV[1] .. '|delivery') or 0)
local began
for number = ARGV[2] + 1, current do
  began = began or redis.call('HGET', KEYS[1], ARGV[1] .. '|taken|' .. number)
end
if not began then return {'alone', ''} end
local clock = redis.call('TIME')
local seconds = clock[1] + clock[2] / 1000000 - ARGV[5] - began
local kind, text = seconds > 0 and 'overlap' or 'yielded', string.format('%.3f', math.abs(seconds))
redis.call('XADD', KEYS[2], 'NOMKSTREAM', 'MAXLEN', '~', 10000, '*', 'kind', kind, 'task', ARGV[3], 'host', ARGV[4],
  'seconds', text)
if kind == 'overlap' then
  redis.call('HINCRBY', KEYS[3], 'count', 1)
  redis.call('HINCRBYFLOAT', KEYS[3], 'seconds', text)
end
return {kind, text}
