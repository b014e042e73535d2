#!lua flags=allow-oom
-- Adds what a run has used that was ended from outside (its job was cancelled, or expired). A second time changes nothing.
-- ARGV: id, epoch, attempts, evidence, limits learnt, prompt, completion, cached, reasoning, cost in micro-dollars,
-- breaker settings, the cost as budgets count it. Returns what changed of breakers (name, from, to, ...), or false when it is
-- another run's to tell.
local id, epoch, attempts, evidence, limits = unpack(ARGV, 1, 5)
local key = job_key(id)
local job = redis.call('HMGET', key, 'status', 'epoch', 'settled', 'limits', 'ended', 'tenant')
if job[2] ~= epoch or job[3] or job[1] ~= 'cancelled' then return false end
redis.call('HSET', key, 'settled', '1')
append_attempts(id, attempts)
record_evidence(evidence, id .. ':' .. epoch, ARGV[11])
learn_limits(limits)
add_spent(id, { unpack(ARGV, 6, 10) })
-- What is counted now is told by the record for as long as what was counted before.
if job[5] then redis.call('EXPIRE', key, RETENTION_S, 'GT') end
if job[4] then charge_limits(job[4], job[6], tonumber(ARGV[6]) + tonumber(ARGV[7]), tonumber(ARGV[12])) end
return changes
