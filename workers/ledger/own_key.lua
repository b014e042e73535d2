#!lua
-- Stores a tenant's key for a provider, or drops it. ARGV: "tenant provider", the key's words ('' to drop it). Returns the
-- number of this change, which stands before the words; 0 where there was nothing to drop.
local field, words = unpack(ARGV)
local key = P .. 'own_keys'
if words == '' and redis.call('HDEL', key, field) == 0 then return 0 end
local version = redis.call('HINCRBY', key, 'version', 1)
if words ~= '' then redis.call('HSET', key, field, version .. ' ' .. words) end
return version
