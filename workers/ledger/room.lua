#!lua flags=allow-oom
-- Gives a job back from a run that met a rate limit: to whoever has room, else to wait for who will have it soonest.
-- ARGV: id, epoch, the shortest wait in ms before the same candidate may be called for this job again, attempts, evidence,
-- limits learnt, breaker settings, configured limits, a second call that failed (way.lua), and, where a call has used
-- something in vain, what it was (usage.lua), and the cost as budgets count it. Returns 'moved', 'parked', 'deferred' or 'full' (nobody has room
-- before the deadline: the run still holds the job, and nothing was recorded but the limits), the wait in ms, and what
-- changed of breakers; or false when the run lost the job.
local id, epoch, own_ms, attempts, evidence, limits, settings, configured, second = unpack(ARGV)
if not holds(id, epoch) then return false end
learn_limits(limits)
local job = load_job(id, settings, configured)
may_come_back(job)
move_past(job, second)
local own, own_wanting = obstacle(job, job.deployment)
if own < tonumber(own_ms) then own, own_wanting = tonumber(own_ms), false end
local place, wait, wanting = way_round(job, job.place)
if not place or wait < 0 or own < wait then place, wait, wanting = job.place, own, own_wanting end
if wait >= job.left then return { 'full', wait, changes } end

append_attempts(id, attempts)
if ARGV[10] then add_spent(id, { unpack(ARGV, 10, 14) }) end
record_evidence(evidence, id .. ':' .. epoch, settings)
if #ARGV > 9 then charge_waste(id, job.reserved, tonumber(ARGV[#ARGV])) end
count_queued(job.reserved, 1)
point_at(job, epoch + 1, place)
if wait == 0 then
  send_on(job)
  return { 'moved', 0, changes }
elseif wanting then
  redis.call('HSET', job_key(id), 'queued', now)
  park(job, wait)
  return { 'parked', wait, changes }
end
put_off(job, wait)
return { 'deferred', wait, changes }
