#!lua flags=allow-oom
-- Records one attempt to deliver a job's webhook. ARGV: id, outcome ('delivered', 'retry' or 'failed'), detail, then
-- the delays in ms before the second attempt, the third and so on. Returns the attempts made so far.
local id, outcome, detail = unpack(ARGV, 1, 3)
local key = P .. 'delivery:' .. id
local made = redis.call('HINCRBY', key, 'attempts', 1)
local delay = tonumber(ARGV[3 + made])
if outcome == 'retry' and not delay then outcome = 'failed' end
redis.call('HSET', key, 'status', outcome, 'detail', detail, 'at', now)
if outcome == 'retry' then
  redis.call('ZADD', OUTBOX, 'XX', now + delay, id)
  -- The job is what is delivered: it must outlive the wait.
  redis.call('EXPIRE', job_key(id), math.ceil(delay / 1000) + RETENTION_S)
  redis.call('EXPIRE', key, math.ceil(delay / 1000) + RETENTION_S)
else
  redis.call('ZREM', OUTBOX, id)
  redis.call('EXPIRE', key, RETENTION_S)
end
return made
