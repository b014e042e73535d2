#!lua flags=allow-oom
-- Has a batch cancelled: its worker sees it at its next turn. ARGV: id, tenant.
-- Returns false (no such batch of this tenant) or {status after, 1 when this call changed it}.
local id, tenant = unpack(ARGV)
local key = batch_key(id)
local batch = redis.call('HMGET', key, 'tenant', 'status')
if batch[1] ~= tenant then return false end
if batch[2] ~= 'validating' and batch[2] ~= 'in_progress' then return { batch[2], 0 } end
redis.call('HSET', key, 'status', 'cancelling', 'cancelling_at', now)
return { 'cancelling', 1 }
