#!lua flags=allow-oom
-- Makes the lines of a batch that nobody has begun more urgent: those in a queue go to the list of that priority, those that
-- wait for something will go there.
-- ARGV: id, epoch, priority. Returns how many, or false when the run lost the batch.
local id, epoch, priority = unpack(ARGV)
if not holds_batch(id, epoch) then return false end
local aged = 0
for _, line in ipairs(redis.call('SMEMBERS', P .. 'batch_lines:' .. id)) do
  local key = job_key(line)
  local job = redis.call('HMGET', key, 'status', 'priority', 'epoch', 'queue', 'deferred', 'deployment', 'created')
  if (job[1] == 'queued' or job[1] == 'in_progress') and tonumber(job[2]) > tonumber(priority) then
    redis.call('HSET', key, 'priority', priority)
    if job[5] == 'parked' then
      local rank = string.format('%.17g', rank_of(priority, job[7]))
      redis.call('ZADD', parked_key(job[6]), 'XX', rank, line .. ':' .. job[3])
    elseif job[1] == 'queued' and not job[5] then
      -- The pointer in the old list is a stale duplicate from now on.
      redis.call('HSET', key, 'epoch', job[3] + 1, 'queued', now)
      publish(line, job[3] + 1, job[4], priority)
    end
    aged = aged + 1
  end
end
return aged
