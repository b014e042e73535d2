#!lua flags=allow-oom
-- Lets parked jobs through: as many as there are permits for, in their order. Any process may run it, as often as it likes.
-- ARGV: limit, configured limits. Returns the number let through, and the ms until there may be a permit again
-- (0: the limit was reached, go on; -1: nobody is parked).
local limit, configured = tonumber(ARGV[1]), ARGV[2]
local deployments = redis.call('SMEMBERS', PARKED)
local released, soonest = 0, -1

-- The first of those parked that still waits there: its set member, id and fields.
local function head_of(key)
  while true do
    local member = redis.call('ZRANGE', key, 0, 0)[1]
    if not member then return nil end
    local id, epoch = string.match(member, '^(.*):(%d+)$')
    local job = redis.call('HMGET', job_key(id), 'status', 'epoch', 'deferred', 'queue', 'priority', 'queued', 'queue_ms',
      'tokens', 'deadline')
    if job[1] == 'queued' and job[2] == epoch and job[3] == 'parked' then return member, id, job end
    -- It ended, or the rescue has published it.
    redis.call('ZREM', key, member)
  end
end

local function let_through(id, job)
  local epoch = tonumber(job[2]) + 1
  redis.call('HSET', job_key(id), 'epoch', epoch, 'queued', now, 'queue_ms', tonumber(job[7]) + math.max(now - tonumber(job[6]), 0),
    'permit', '1')
  redis.call('HDEL', job_key(id), 'deferred')
  publish(id, epoch, job[4], job[5])
  redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, tonumber(job[9])), id)
end

local function serve(deployment)
  local key = parked_key(deployment)
  while released < limit do
    local member, id, job = head_of(key)
    if not member then
      redis.call('SREM', PARKED, deployment)
      return
    end
    local demand = demand_of(job[8])
    local scopes = permit_scopes(deployment, configured) or {}
    local wait = scopes_wait(scopes, demand, 0)
    if wait > 0 then
      if soonest < 0 or wait < soonest then soonest = wait end
      return
    end
    take_permits(scopes, demand)
    redis.call('ZREM', key, member)
    let_through(id, job)
    released = released + 1
  end
  soonest = 0
end

-- Deployments of one account share its permits: none is always the first to be served.
for i = 1, #deployments do serve(deployments[(i + now) % #deployments + 1]) end
return { released, soonest }
