#!lua flags=allow-oom
-- Gives a job back from a run: at once on the next candidate's queue (hand over), or after a delay (defer).
-- ARGV: id, epoch, candidate, queue, delay in ms, attempts, evidence, breaker settings. Returns what
-- changed of breakers (name, from, to, ...), or false when the run lost the job.
local id, epoch, candidate, queue, delay_ms, attempts, evidence, settings = unpack(ARGV)
if not holds(id, epoch) then return false end
append_attempts(id, attempts)
record_evidence(evidence, id .. ':' .. epoch, settings)
local key = job_key(id)
delay_ms = tonumber(delay_ms)
local due = now + delay_ms
redis.call('HSET', key, 'status', 'queued', 'epoch', epoch + 1, 'candidate', candidate, 'queue', queue, 'queued', due)
local kept = redis.call('HMGET', key, 'deployment', 'plan')
if kept[1] then
  redis.call('HSET', key, 'deployment', candidate_id(cjson.decode(kept[2]), tonumber(candidate)))
end
if delay_ms > 0 then
  -- No message yet: the rescue publishes it when the time has come.
  redis.call('HSET', key, 'deferred', '1')
  redis.call('HINCRBY', key, 'defers', 1)
  redis.call('ZADD', SCHEDULE, due, id)
else
  publish(id, epoch + 1, queue, redis.call('HGET', key, 'priority'))
  redis.call('ZADD', SCHEDULE, now + REQUEUE_CHECK_MS, id)
end
return changes
