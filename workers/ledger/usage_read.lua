#!lua flags=no-writes
-- What tenants have used, by series. ARGV: tenant, day, ... Returns of each the hash of usage.lua, as a flat list.
local found = {}
for i = 1, #ARGV, 2 do found[#found + 1] = redis.call('HGETALL', P .. 'usage_by:' .. ARGV[i] .. ':' .. ARGV[i + 1]) end
return found
