#!lua
-- Replaces a value if it is still what was read. ARGV: key, its field ('' for a key without fields), the value as it was
-- read ('' for none), the new one, how many fields there may be. Returns 1, 0 (it has changed) or -1 (there are enough fields).
local name, field, before, after, most = unpack(ARGV)
local key = P .. name
local kept = (field == '' and redis.call('GET', key) or field ~= '' and redis.call('HGET', key, field)) or ''
-- The same swap again, after a connection that broke before its answer came.
if kept == after then return 1 end
if kept ~= before then return 0 end
if field == '' then
  redis.call('SET', key, after)
else
  if before == '' and redis.call('HLEN', key) >= tonumber(most) then return -1 end
  redis.call('HSET', key, field, after)
end
return 1
