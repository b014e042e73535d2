#!lua flags=allow-oom
-- Adds what a run has used that was ended from outside (its job was cancelled, or expired). A second time changes nothing.
-- ARGV: id, epoch, attempts, evidence, limits learnt, day, prompt, completion, cached, reasoning, cost in micro-dollars,
-- breaker settings, the cost as budgets count it. Returns what changed of breakers (name, from, to, ...), or false when it is another run's to tell.
local id, epoch, attempts, evidence, limits, day = unpack(ARGV, 1, 6)
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'epoch', 'settled', 'limits', 'tenant')
if job[2] ~= epoch or job[3] or job[1] ~= 'cancelled' then return false end
redis.call('HSET', key, 'settled', '1')
append_attempts(id, attempts)
record_evidence(evidence, id .. ':' .. epoch, ARGV[12])
learn_limits(limits)
add_usage(id, day, 0, 7)
if job[4] then charge_limits(job[4], job[5], tonumber(ARGV[7]) + tonumber(ARGV[8]), tonumber(ARGV[#ARGV])) end
return changes
