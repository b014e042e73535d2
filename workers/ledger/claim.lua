#!lua flags=allow-oom
-- Takes a queued job for one run. A pointer of another epoch or state is a stale duplicate and gets nothing.
-- Where a circuit breaker forbids the call, the run holds the job all the same and is told where it can go instead.
-- ARGV: id, epoch, breaker settings. Returns false, or the job's fields in the order of record.py's Claimed.
local id, epoch, settings = unpack(ARGV)
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'epoch', 'queue', 'priority', 'queued', 'deadline', 'queue_ms')
if job[1] ~= 'queued' or job[2] ~= epoch then return false end
local queued, deadline = tonumber(job[5]), tonumber(job[6])
-- Past its deadline: the rescue ends it, with the error that says so.
if deadline <= now then
  redis.call('ZADD', SCHEDULE, now, id)
  return false
end

-- The first candidate from here on that may be called: its place and 0; else the one that may be soonest, and its wait.
local function detour(plan, place)
  local soonest, shortest
  for i = place, #plan.candidates - 1 do
    local wait = deployment_wait(candidate_id(plan, i), settings)
    if wait == 0 then return i, 0 end
    if not soonest or (wait > 0 and (shortest < 0 or wait < shortest)) then soonest, shortest = i, wait end
  end
  return soonest, shortest
end

-- Whether the run is a probe, and where else it must go ('' for nowhere else) after which wait.
local function ask_breakers(deployment, place, plan)
  local stored = redis.call('HMGET', BREAKERS, account_of(deployment), deployment)
  if not is_shut(stored[1]) and not is_shut(stored[2]) then return 0, '', 0 end
  settings = breaker_settings(settings)
  if deployment_wait(deployment, settings) == 0 then return pass(deployment, id .. ':' .. epoch, settings), '', 0 end
  return 0, detour(cjson.decode(plan), tonumber(place))
end

local mark = job[3] .. ' ' .. job[4]
if queued > tonumber(redis.call('HGET', WATERMARKS, mark) or 0) then redis.call('HSET', WATERMARKS, mark, job[5]) end

redis.call('HINCRBY', CLAIMS, job[3], 1)
local queue_ms = tonumber(job[7]) + (now - queued)
redis.call('HSET', key, 'status', 'in_progress', 'claimed', now, 'queue_ms', queue_ms)
redis.call('ZADD', SCHEDULE, math.min(now + LEASE_MS, deadline + LEASE_MS), id)
local rest = redis.call('HMGET', key, 'tenant', 'request', 'plan', 'candidate', 'attempts', 'created', 'max_tries',
  'timeout_ms', 'request_id', 'defers', 'deployment')
-- Without a deployment: a job whose tenant ignores breakers.
local probe, place, wait = 0, '', 0
if rest[11] then probe, place, wait = ask_breakers(rest[11], rest[4], rest[3]) end
if place == '' then redis.call('HSETNX', key, 'started', now) end
return { rest[1], rest[2], rest[3], rest[4], rest[5] or '', now - tonumber(rest[6]), deadline - now, queue_ms,
  rest[7] or '', rest[8] or '', rest[9] or '', rest[10] or '', probe, place, wait, changes }
