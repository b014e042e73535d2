-- Where a job may go: past circuit breakers, and to whom there is a permit for. Rendered after permit.lua.

local function load_job(id, settings, configured)
  local kept = redis.call('HMGET', job_key(id), 'candidate', 'deployment', 'plan', 'priority', 'created', 'deadline',
    'careless', 'permit', 'tokens', 'reached', 'limited', 'limits', 'own', 'tenant')
  return { id = id, place = tonumber(kept[1]), deployment = kept[2], plan_json = kept[3], priority = kept[4],
    rank = rank_of(kept[4], kept[5]), left = tonumber(kept[6]) - now, careless = kept[7], granted = kept[8],
    demand = demand_of(kept[9]), reached = math.max(tonumber(kept[10] or -1), tonumber(kept[1])),
    limited = kept[11] or ' ', reserved = kept[12], own = kept[13], tenant = kept[14], settings = settings,
    configured = configured }
end

local function plan_of(job)
  if not job.plan then job.plan = cjson.decode(job.plan_json) end
  return job.plan
end

-- What keeps the job from a deployment: the wait in ms (0: nothing; -1: nobody knows), and whether permits are missing.
-- The job remembers what was seen of the deployment, for `go`.
local function obstacle(job, deployment)
  job.shut, job.scopes = false, nil
  if not job.careless then
    local stored = redis.call('HMGET', BREAKERS, account_of(deployment), deployment)
    job.shut = is_shut(stored[1]) or is_shut(stored[2])
    if job.shut then
      local wait = deployment_wait(deployment, breaker_settings(job.settings))
      if wait ~= 0 then return wait, false end
    end
  end
  if job.granted and deployment == job.deployment then return 0, false end
  local wait, alone, scopes = permit_wait(scope_of(deployment, job.own, job.tenant), job.demand, job.rank,
    job.configured)
  job.scopes = scopes
  -- Those before it may go away: they alone are no reason to give up.
  if alone < job.left then wait = math.min(wait, job.left - 1) end
  return wait, wait > 0
end

-- Lets the job's run go to its deployment, which was just found free. Returns 1 where it goes as a probe, else 0.
local function go(job, run)
  if job.granted then redis.call('HDEL', job_key(job.id), 'permit') end
  -- It had its turn here: should it fail, it does not come back.
  local limited, found = string.gsub(job.limited, ' ' .. job.place .. ' ', ' ', 1)
  if found > 0 then redis.call('HSET', job_key(job.id), 'limited', limited) end
  job.limited = limited
  if job.scopes then take_permits(job.scopes, job.demand) end
  return job.shut and pass(job.deployment, run) or 0
end

-- A job goes forward through its plan; it comes back only to those it left because they had no room.
local function may_try(job, place)
  return place == job.place or place > job.reached or string.find(job.limited, ' ' .. place .. ' ', 1, true)
end

local function may_come_back(job)
  if not string.find(job.limited, ' ' .. job.place .. ' ', 1, true) then
    job.limited = job.limited .. job.place .. ' '
    redis.call('HSET', job_key(job.id), 'limited', job.limited)
  end
end

-- A second call of the run, to the candidate at a place, ended in vain as well: "place full", or '' without one. The job does
-- not go there again, unless it was only for want of room (full is 1). It may still go to those between, which were not tried.
local function move_past(job, second)
  local place, full = string.match(second, '^(%d+) (%d)$')
  if not place then return end
  place = tonumber(place)
  local limited = string.gsub(job.limited, ' ' .. place .. ' ', ' ', 1)
  for skipped = job.reached + 1, place - 1 do limited = limited .. skipped .. ' ' end
  if full == '1' then limited = limited .. place .. ' ' end
  job.limited, job.reached = limited, math.max(job.reached, place)
  redis.call('HSET', job_key(job.id), 'limited', limited, 'reached', job.reached)
end

-- The first candidate but `except` that may be called: its place and 0; else the one that may be soonest, its wait in ms
-- (-1: nobody knows), and whether that is for want of permits.
local function way_round(job, except)
  local soonest, shortest, wanting
  for place = 0, #plan_of(job).candidates - 1 do
    if place ~= except and may_try(job, place) then
      local wait, permits = obstacle(job, candidate_id(job.plan, place))
      if wait == 0 then return place, 0, false end
      if not soonest or (wait > 0 and (shortest < 0 or wait < shortest)) then
        soonest, shortest, wanting = place, wait, permits
      end
    end
  end
  return soonest, shortest, wanting
end

-- The first candidate still to come that may be called now; nil where there is none. Only forward, or jobs would be sent
-- round and round where all are crowded.
local function free_place_ahead(job)
  local shut, scopes = job.shut, job.scopes
  for place = job.reached + 1, #plan_of(job).candidates - 1 do
    if obstacle(job, candidate_id(job.plan, place)) == 0 then return place end
  end
  -- As `go` is to find it.
  job.shut, job.scopes = shut, scopes
end

-- Makes the job wait, queued, for a candidate. Who calls this puts it where somebody finds it, and in the schedule.
local function point_at(job, epoch, place)
  if job.granted and place ~= job.place then redis.call('HDEL', job_key(job.id), 'permit') end
  job.deployment = candidate_id(plan_of(job), place)
  job.queue = queue_of(job.deployment)
  job.epoch = epoch
  redis.call('HSET', job_key(job.id), 'status', 'queued', 'epoch', epoch, 'candidate', place, 'queue', job.queue,
    'deployment', job.deployment, 'reached', job.reached)
end

local function send_on(job)
  redis.call('HSET', job_key(job.id), 'queued', now)
  publish(job.id, job.epoch, job.queue, job.priority)
  redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, now + job.left), job.id)
end

-- No message yet: the rescue publishes it when the time has come.
local function put_off(job, delay_ms)
  redis.call('HSET', job_key(job.id), 'deferred', '1', 'queued', now + delay_ms)
  redis.call('HINCRBY', job_key(job.id), 'defers', 1)
  redis.call('ZADD', SCHEDULE, now + delay_ms, job.id)
end

-- No message either: release.lua publishes it when there is a permit.
local function park(job, wait)
  local scope = scope_of(job.deployment, job.own, job.tenant)
  redis.call('ZADD', parked_key(scope), string.format('%.17g', job.rank), job.id .. ':' .. job.epoch)
  redis.call('SADD', PARKED, scope)
  redis.call('HSET', job_key(job.id), 'deferred', 'parked')
  redis.call('ZADD', SCHEDULE, now + math.min(math.max(PARKED_CHECK_MS, 2 * wait), job.left), job.id)
end
