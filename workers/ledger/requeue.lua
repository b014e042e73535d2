#!lua flags=allow-oom
-- Gives a job back from a run: at once on the queue of the candidate at `place` (hand over), or after a delay (defer); at place
-- -1 it begins again with its first candidate and may go to all of them.
-- ARGV: id, epoch, place, delay in ms, attempts, evidence, limits learnt, breaker settings, configured limits,
-- a second call that failed (way.lua), and, where a call has used something in vain, what it was (usage.lua), and the cost as
-- budgets count it.
-- Returns what changed of breakers (name, from, to, ...), or false when the run lost the job.
local id, epoch, place, delay_ms, attempts, evidence, limits, settings, configured, second = unpack(ARGV)
if not holds(id, epoch) then return false end
append_attempts(id, attempts)
if ARGV[11] then add_spent(id, { unpack(ARGV, 11, 15) }) end
record_evidence(evidence, id .. ':' .. epoch, settings)
learn_limits(limits)
local job = load_job(id, settings, configured)
move_past(job, second)
if #ARGV > 10 then charge_waste(id, job.reserved, tonumber(ARGV[#ARGV])) end
count_queued(job.reserved, 1)
if place == '-1' then
  place, job.reached = '0', -1
  redis.call('HSET', job_key(id), 'limited', ' ')
  redis.call('HINCRBY', job_key(id), 'rounds', 1)
end
point_at(job, epoch + 1, tonumber(place))
if tonumber(delay_ms) > 0 then put_off(job, tonumber(delay_ms)) else send_on(job) end
return changes
