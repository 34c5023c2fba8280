-- create: write a new run, the durable fact everything else follows from.
-- KEYS  run, tasks, attempts, shards, plan, specs, active, queued, scheme
-- ARGV  run id, plan JSON, header JSON (hash fields of the run), units JSON
--       {tasks=[[id, shard, skip]], shards=[[id, queue, priority, spec, first task]]}, scheme of the ledger
-- Returns "created", "exists" when the id is taken (a repeated call is harmless), or "foreign" when the ledger in this
-- Redis is of another scheme: nobody would run it.
redis.call('SET', KEYS[9], ARGV[5], 'NX')
if redis.call('GET', KEYS[9]) ~= ARGV[5] then return 'foreign' end
if redis.call('EXISTS', KEYS[1]) == 1 then return 'exists' end
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local header, units = cjson.decode(ARGV[3]), cjson.decode(ARGV[4])
for field, value in pairs(header) do redis.call('HSET', KEYS[1], field, value) end
local pending, skipped, left = 0, 0, {}
for _, task in ipairs(units.tasks) do
  local state = 'pending'
  if task[3] then state, skipped = 'skipped', skipped + 1
  else pending = pending + 1; left[task[2]] = (left[task[2]] or 0) + 1 end
  redis.call('HSET', KEYS[2], task[1], state)
  redis.call('HSET', KEYS[3], task[1], 0)
end
for place, shard in ipairs(units.shards) do
  local sent = now + place / 1000000  -- shards of a run keep their order among each other
  local id = shard[1]
  redis.call('HSET', KEYS[4], id .. '|queue', shard[2], id .. '|priority', shard[3], id .. '|delivery', 1,
    id .. '|left', left[id] or 0, id .. '|owner', '', id .. '|since', sent, id .. '|first', shard[5])
  redis.call('HSET', KEYS[6], id, shard[4])
  if left[id] then redis.call('ZADD', KEYS[8], sent, ARGV[1] .. '|' .. id) end
end
redis.call('SET', KEYS[5], ARGV[2])
redis.call('HSET', KEYS[1], 'created', now, 'pending', pending, 'skipped', skipped, 'total', pending + skipped,
  'running', 0, 'state', 'running')
redis.call('ZADD', KEYS[7], now, ARGV[1])
return 'created'
