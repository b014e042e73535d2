#!lua flags=allow-oom
-- A part of a batch's output is in the storage: it counts from now on, and the records of its lines go away. Whose part is not
-- written down here was never made; so each line is in one part, whenever the worker dies.
-- ARGV: id, epoch, lease in ms, the part's number from 0, its name, how many ended lines are in it, how many others (that were never
-- accepted), the line number and byte offset it stands at afterwards ('' where that is not changed), then field, amount, ... to be
-- added to the batch. Returns false when the run lost the batch, else 1.
local MAX_KEPT = 1000
local id, epoch, lease_ms, number, name, ended, others, cursor, offset = unpack(ARGV, 1, 9)
if not holds_batch(id, epoch, lease_ms) then return false end
local key, lines = batch_key(id), P .. 'batch_ended:' .. id
local parts = tonumber(redis.call('HGET', key, 'parts'))
-- The same step again, after a connection that broke before its answer came.
if parts == number + 1 and redis.call('LINDEX', P .. 'batch_parts:' .. id, -1) == name then return 1 end
if parts ~= tonumber(number) then return false end
redis.call('HSET', key, 'parts', parts + 1)
redis.call('RPUSH', P .. 'batch_parts:' .. id, name)
if tonumber(ended) > 0 then
  for _, line in ipairs(redis.call('LRANGE', lines, 0, ended - 1)) do
    if redis.call('HGET', job_key(line), 'status') == 'completed' then
      take_leave(line)
      redis.call('UNLINK', job_key(line))
    elseif redis.call('HINCRBY', key, 'kept', 1) <= MAX_KEPT then
      -- It can be looked at, and run again; of a batch that fails as a whole, so many are enough.
      redis.call('EXPIRE', job_key(line), RETENTION_S)
    else
      take_leave(line)
      redis.call('UNLINK', job_key(line))
      redis.call('ZREM', failures_of(redis.call('HGET', key, 'tenant')), line)
    end
  end
  redis.call('LTRIM', lines, ended, -1)
  close_accounts()
end
if tonumber(others) > 0 then redis.call('HINCRBY', key, 'failed', others) end
if cursor ~= '' then redis.call('HSET', key, 'cursor', cursor, 'offset', offset) end
for i = 10, #ARGV, 2 do
  if ARGV[i + 1] ~= '0' then redis.call('HINCRBY', key, ARGV[i], ARGV[i + 1]) end
end
return 1
