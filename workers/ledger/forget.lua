#!lua flags=allow-oom
-- Forgets a job that has ended: its record, its stream, its Idempotency-Key, its places in lists, and its webhook if that is
-- not delivered: a delivery that finds no job ends. Usage stays counted.
-- ARGV: id, tenant. Returns false (no such job of this tenant), 0 (it has not ended) or 1.
local id, tenant = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'tenant', 'status', 'idempotency')
if job[1] ~= tenant then return false end
if job[2] == 'queued' or job[2] == 'in_progress' then return 0 end
take_leave(id)
close_accounts()
redis.call('DEL', job_key(id), P .. 'stream:' .. id)
redis.call('ZREM', OUTBOX, id)
redis.call('ZREM', jobs_of(tenant), id)
redis.call('ZREM', failures_of(tenant), id)
if job[3] then
  local claim = P .. 'idempotency:' .. job[3]
  if redis.call('GET', claim) == id then redis.call('DEL', claim) end
end
return 1
