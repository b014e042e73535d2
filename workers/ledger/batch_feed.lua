#!lua
-- Accepts the next lines of a batch as jobs and moves its place in the input past them, all or nothing: a line is neither
-- lost nor accepted twice, whenever the worker dies. Without allow-oom: a full Redis refuses here.
-- ARGV: id, epoch, lease in ms, the line number and byte offset it stands at, those it stands at afterwards; then of each line: job id,
-- custom_id, queue, priority, provider, place, how many words follow, field, value, ...
-- A line with the queue '' has failed already: its http_status stands for the priority, its answer for the provider.
-- Returns false when the run lost the batch or it is being cancelled, else {1}.
local id, epoch, lease_ms, cursor, offset, next_cursor, next_offset = unpack(ARGV, 1, 7)
if not holds_batch(id, epoch, lease_ms) then return false end
local key = batch_key(id)
local batch = redis.call('HMGET', key, 'cursor', 'offset', 'tenant', 'deadline', 'status', 'key')
-- The same step again, after a connection that broke before its answer came.
if batch[1] == next_cursor and batch[2] == next_offset then return { 1 } end
if batch[1] ~= cursor or batch[2] ~= offset or batch[5] ~= 'in_progress' then return false end
redis.call('HSET', key, 'cursor', next_cursor, 'offset', next_offset)
local deadline, i = tonumber(batch[4]), 8
while i <= #ARGV do
  local line, custom_id, queue, priority, provider, place, words = unpack(ARGV, i, i + 6)
  local job, last = job_key(line), i + 6 + words
  redis.call('HSET', job, 'batch', id, 'custom_id', custom_id, 'tenant', batch[3], 'created', now, 'queued', now,
    'deadline', batch[4], 'queue_ms', '0', 'candidate', place, 'epoch', '1', 'status', 'queued', unpack(ARGV, i + 7, last))
  if queue == '' then
    redis.call('HSET', job, 'queue', '', 'priority', '9')
    if batch[6] then redis.call('HSET', job, 'key', batch[6]) end
    end_job(line, 'failed', priority, provider)
  else
    local flight = batch[3] .. ' ' .. provider
    redis.call('HSET', job, 'queue', queue, 'priority', priority, 'flight', flight)
    redis.call('HINCRBY', P .. 'batch_flight', flight, 1)
    redis.call('SADD', P .. 'batch_lines:' .. id, line)
    redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, deadline), line)
    publish(line, 1, queue, priority)
  end
  i = last + 1
end
return { 1 }
