-- cases: append case results of an attempt. Who sends some again because the answer was lost adds none of them twice.
-- KEYS  cases, events, told (hash: task|attempt → how many of its cases are in the stream)
-- ARGV  task, attempt, how many of its cases were sent before these, cases kept, seconds to keep them,
--       and for each case "1" when a watcher wants to see it at once (else "0"), and its JSON
local field, before = ARGV[1] .. '|' .. ARGV[2], tonumber(ARGV[3])
local told = tonumber(redis.call('HGET', KEYS[3], field) or 0)
local count = (#ARGV - 5) / 2
for number = 1, count do
  if before + number > told then
    local row = {'task', ARGV[1], 'attempt', ARGV[2], 'case', ARGV[5 + 2 * number]}
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[4], '*', unpack(row))
    if ARGV[4 + 2 * number] == '1' then
      redis.call('XADD', KEYS[2], 'NOMKSTREAM', 'MAXLEN', '~', 10000, '*', 'kind', 'failure', unpack(row))
    end
  end
end
redis.call('HSET', KEYS[3], field, math.max(told, before + count))
redis.call('EXPIRE', KEYS[1], ARGV[5])
redis.call('EXPIRE', KEYS[3], ARGV[5])
