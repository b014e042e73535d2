#!lua flags=allow-oom
-- Takes a queued job for one run. A pointer of another epoch or state is a stale duplicate and gets nothing.
-- ARGV: id, epoch. Returns false, or the job's fields in the order of record.py's CLAIMED.
local id, epoch = ARGV[1], ARGV[2]
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'epoch', 'queue', 'priority', 'queued', 'deadline', 'queue_ms')
if job[1] ~= 'queued' or job[2] ~= epoch then return false end
local queued, deadline = tonumber(job[5]), tonumber(job[6])
-- Past its deadline: the rescue ends it, with the error that says so.
if deadline <= now then
  redis.call('ZADD', SCHEDULE, now, id)
  return false
end

local mark = job[3] .. ' ' .. job[4]
if queued > tonumber(redis.call('HGET', WATERMARKS, mark) or 0) then redis.call('HSET', WATERMARKS, mark, job[5]) end

local queue_ms = tonumber(job[7]) + (now - queued)
redis.call('HSET', key, 'status', 'in_progress', 'claimed', now, 'queue_ms', queue_ms)
redis.call('HSETNX', key, 'started', now)
redis.call('ZADD', SCHEDULE, math.min(now + LEASE_MS, deadline + LEASE_MS), id)
local rest = redis.call('HMGET', key, 'tenant', 'request', 'plan', 'candidate', 'attempts', 'created', 'max_tries',
  'timeout_ms', 'request_id', 'defers')
return { rest[1], rest[2], rest[3], rest[4], rest[5] or '', now - tonumber(rest[6]), deadline - now, queue_ms,
  rest[7] or '', rest[8] or '', rest[9] or '', rest[10] or '' }
