#!lua flags=allow-oom
-- Cancels a job that has not ended, and tells the worker that runs it. ARGV: id, tenant, the error as JSON.
-- Returns false (no such job of this tenant) or {status after, 1 when this call cancelled it}.
local id, tenant, error_json = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'tenant', 'status')
if job[1] ~= tenant then return false end
if job[2] ~= 'queued' and job[2] ~= 'in_progress' then return { job[2], 0 } end
end_job(id, 'cancelled', '409', failure_answer(id, error_json), UNUSED)
-- Whoever misses it learns it with the next heartbeat.
if job[2] == 'in_progress' then redis.call('PUBLISH', REVOKED, id) end
return { 'cancelled', 1 }
