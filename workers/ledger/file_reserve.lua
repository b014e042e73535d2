#!lua
-- Writes down that a file is coming, before any byte of it is stored: due for removal unless it is told of again, or
-- adopted, in time. ARGV: id, tenant, name in the storage, ms until then. Returns 1, or 0 where it was given up already.
local id, tenant, name, hold_ms = unpack(ARGV)
local state = redis.call('HGET', file_key(id), 'state')
if state == 'gone' then return 0 end
if state == 'there' then return 1 end
if not state then redis.call('HSET', file_key(id), 'state', 'coming', 'tenant', tenant, 'name', name) end
redis.call('ZADD', FILE_EXPIRY, now + hold_ms, id)
return 1
