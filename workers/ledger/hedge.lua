#!lua flags=allow-oom
-- Lets a run make a second call beside its own, to the first of some candidates that may be called now and has a permit, which is
-- taken. Never as a probe: an open or half-open breaker keeps it off. The job's record keeps it, should the worker be lost.
-- ARGV: id, epoch, places ("1 2 ..."), breaker settings, configured limits. Returns the place, -1 where there is none, or
-- false when this run no longer holds the job.
local id, epoch, places, settings, configured = unpack(ARGV)
if not holds(id, epoch) then return false end

-- Of a breaker that lets calls through: whether only as probes.
local function probes_only(deployment)
  for _, name in ipairs({ deployment, account_of(deployment) }) do
    local state = parse_breaker(redis.call('HGET', BREAKERS, name)).state
    if state == 'open' or state == 'half_open' then return true end
  end
  return false
end

local job = load_job(id, settings, configured)
for place in string.gmatch(places, '%d+') do
  local deployment = candidate_id(plan_of(job), tonumber(place))
  if obstacle(job, deployment) == 0 and not (job.shut and probes_only(deployment)) then
    if job.scopes then take_permits(job.scopes, job.demand) end
    redis.call('HSET', job_key(id), 'hedged', epoch .. ' ' .. place .. ' ' .. now)
    return tonumber(place)
  end
end
return -1
