#!lua flags=allow-oom
-- Writes down how far a batch has come. ARGV: id, epoch, lease in ms, the status ('' leaves it; a batch that is being cancelled keeps
-- its own), then field, value, ... The value '@now' is the time. Returns the status it has, or false when the run lost it.
local id, epoch, lease_ms, status = unpack(ARGV, 1, 4)
if not holds_batch(id, epoch, lease_ms) then return false end
local key = batch_key(id)
local before = redis.call('HGET', key, 'status')
if status ~= '' and before ~= 'cancelling' then redis.call('HSET', key, 'status', status) end
for i = 5, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1] == '@now' and now or ARGV[i + 1]) end
return redis.call('HGET', key, 'status')
