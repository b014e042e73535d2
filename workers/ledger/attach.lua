#!lua flags=allow-oom
-- Has an API process told when a job ends. ARGV: id, tenant, address.
-- Returns false (no such job of this tenant) or {status, http_status, answer}; the last two empty while it runs.
local id, tenant, address = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'tenant', 'status', 'http_status', 'answer', 'unstored')
if job[1] ~= tenant then return false end
if job[4] then note_delivery(id, job[5], UNSTORED_MS) else add_waiter(id, address) end
return { job[2], job[3] or '', job[4] or '' }
