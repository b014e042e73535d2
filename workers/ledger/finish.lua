#!lua flags=allow-oom
-- Ends a job with its answer, usage and evidence in one step. A second finish of the same run changes nothing.
-- allow-oom: the answer was paid for, and storing it frees more than it takes.
-- ARGV: id, epoch, status, http_status, answer, attempts, evidence, what of the usage was a second call's (usage.lua), prompt,
-- completion, cached, reasoning, cost in micro-dollars, limits learnt, breaker settings, the cost as budgets count it ('' where
-- nobody knows), the number of the first of the frames that follow (a stream's last). Returns what changed of breakers (name, from,
-- to, ...), or false when this run no longer holds the job.
local id, epoch, status, http_status, answer, attempts, evidence, second = unpack(ARGV, 1, 8)
if not holds(id, epoch) then return false end
append_attempts(id, attempts)
record_evidence(evidence, id .. ':' .. epoch, ARGV[15])
learn_limits(ARGV[14])
if #ARGV > 17 then
  append_frames(id, tonumber(ARGV[17]), 18, #ARGV, redis.call('HGET', job_key(id), 'waiters'))
  send_frames()
end
if status == 'completed' then
  local called = redis.call('HMGET', job_key(id), 'deployment', 'tokens', 'own', 'tenant')
  if called[1] and called[2] then
    settle_tokens(scope_of(called[1], called[3], called[4]), called[2], ARGV[9], ARGV[10])
  end
  -- What was asked is of no more use once it is answered; a job that failed keeps it, to be run again.
  redis.call('HDEL', job_key(id), 'request')
end
local used = tonumber(ARGV[9]) + tonumber(ARGV[10])
-- An answer that tells of no usage is taken to have used what was expected.
if status == 'completed' and used == 0 then used = nil end
end_job(id, status, http_status, answer, { tokens = used, microusd = tonumber(ARGV[16]), spent = { unpack(ARGV, 9, 13) },
  second = second })
return changes
