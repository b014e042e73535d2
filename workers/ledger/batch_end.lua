#!lua flags=allow-oom
-- Ends a batch: its files are there, its webhook goes into the outbox. It leaves the schedule when its parts are removed. A second end changes nothing.
-- ARGV: id, epoch, status, how long it is kept in s, then field, value, ... Returns 1, or false when the run lost it.
local id, epoch, status, keep_s = unpack(ARGV, 1, 4)
if not holds_batch(id, epoch) then return false end
local key = batch_key(id)
local kept = redis.call('HMGET', key, 'tenant', 'webhook')
redis.call('HSET', key, 'status', status, 'ended', now, status .. '_at', now, unpack(ARGV, 5))
redis.call('EXPIRE', key, keep_s)
redis.call('SREM', P .. 'batches_open:' .. kept[1], id)
redis.call('DEL', P .. 'batch_parts:' .. id, P .. 'batch_ended:' .. id, P .. 'batch_lines:' .. id)
if kept[2] or redis.call('EXISTS', P .. 'endpoints:' .. kept[1]) == 1 then redis.call('ZADD', OUTBOX, now, id) end
return 1
