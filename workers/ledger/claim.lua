#!lua flags=allow-oom
-- Takes a queued job for one run. A pointer of another epoch or state is a stale duplicate and gets nothing.
-- Where the call may not be made now, no attempt is spent. Another candidate can take the job, or nobody before its
-- deadline: the run holds the job all the same and is told. Else, for want of a permit, it is parked and the run gets nothing.
-- Nor does it where the worker is crowded (it has as many calls under way as its provider takes) and another candidate is free.
-- ARGV: id, epoch, crowded ('1' or ''), breaker settings, configured limits. Returns false, or the fields in the order of
-- claimed.py's Claimed.
local id, epoch, crowded, settings, configured = unpack(ARGV)
local key = job_key(id)
local held = redis.call('HMGET', key, 'status', 'epoch', 'queue', 'priority', 'queued', 'deadline', 'queue_ms')
if held[1] ~= 'queued' or held[2] ~= epoch then return false end
local queued, deadline = tonumber(held[5]), tonumber(held[6])
-- Past its deadline: the rescue ends it, with the error that says so.
if deadline <= now then
  redis.call('ZADD', SCHEDULE, now, id)
  return false
end

local mark = held[3] .. ' ' .. held[4]
if queued > tonumber(redis.call('HGET', WATERMARKS, mark) or 0) then redis.call('HSET', WATERMARKS, mark, held[5]) end

local job = load_job(id, settings, configured)
-- Whether the run is a probe, and where else it must go ('' for nowhere else) after which wait, for want of permits or not.
local probe, elsewhere, wait, wanting = 0, '', 0, false
wait, wanting = obstacle(job, job.deployment)
if wait ~= 0 then
  if wanting then may_come_back(job) end
  elsewhere, wait, wanting = way_round(job)
  if wanting and wait < job.left then
    point_at(job, epoch, elsewhere)
    park(job, wait)
    return false
  end
else
  local free = crowded == '1' and free_place_ahead(job)
  if free then
    may_come_back(job)
    point_at(job, epoch + 1, free)
    send_on(job)
    return false
  end
  probe = go(job, id .. ':' .. epoch)
end

redis.call('HINCRBY', CLAIMS, held[3], 1)
local queue_ms = tonumber(held[7]) + (now - queued)
redis.call('HSET', key, 'status', 'in_progress', 'claimed', now, 'queue_ms', queue_ms)
if elsewhere == '' then redis.call('HSETNX', key, 'started', now) end
redis.call('ZADD', SCHEDULE, math.min(now + LEASE_MS, deadline + LEASE_MS), id)
local rest = redis.call('HMGET', key, 'tenant', 'request', 'attempts', 'created', 'max_tries', 'timeout_ms',
  'request_id', 'defers', 'surface', 'echo', 'stream', 'limits', 'batch', 'rounds')
if rest[12] then count_queued(rest[12], -1) end
-- How many frames went out of the answer already: -1 for one that is not streamed.
local streamed = rest[11] and redis.call('LLEN', stream_key(id)) or -1
return { rest[1], rest[2], job.plan_json, job.place, rest[3] or '', now - tonumber(rest[4]), deadline - now, queue_ms,
  rest[5] or '', rest[6] or '', rest[7] or '', rest[8] or '', probe, elsewhere, wait, wanting and 1 or 0, job.reached,
  job.limited, job.careless and 0 or 1, rest[4], rest[9] or '', rest[10] or '', streamed,
  rest[13] and tonumber(rest[14] or 0) or -1, job.own or '', changes }
