#!lua flags=allow-oom
-- Cancels the lines of a batch that nobody has begun; those that run come to their end.
-- ARGV: id, epoch, the error as JSON. Returns how many, or false when the run lost the batch.
local id, epoch, error_json = unpack(ARGV)
if not holds_batch(id, epoch) then return false end
local dropped = 0
for _, line in ipairs(redis.call('SMEMBERS', P .. 'batch_lines:' .. id)) do
  if redis.call('HGET', job_key(line), 'status') == 'queued' then
    end_job(line, 'cancelled', '409', failure_answer(line, error_json), UNUSED)
    dropped = dropped + 1
  end
end
return dropped
