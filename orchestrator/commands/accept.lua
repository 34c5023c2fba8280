-- accept: note that a message was seen, and the message, in one step: both or neither.
-- KEYS  seen (a key that lives while the message is known), messages (stream)
-- ARGV  seconds it is known for, the message as JSON
-- Returns 1, or 0 when it was seen before.
if redis.call('SET', KEYS[1], 1, 'NX', 'EX', ARGV[1]) then
  redis.call('XADD', KEYS[2], 'MAXLEN', '~', 100000, '*', 'incoming', ARGV[2])
  return 1
end
return 0
