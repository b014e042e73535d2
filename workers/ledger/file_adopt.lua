#!lua
-- Makes a file visible whose bytes are stored whole. ARGV: id, tenant, name in the storage, bytes, filename, purpose, when
-- it expires in Unix ms, how many ms after its creation (the last two '' for never). Returns the file as it is now; false
-- where it was given up already, or is another tenant's.
local id, tenant, name, bytes, filename, purpose, expires, lasts_ms = unpack(ARGV)
local known = redis.call('HMGET', file_key(id), 'state', 'tenant')
if known[1] == 'gone' or (known[2] and known[2] ~= tenant) then return false end
if known[1] ~= 'there' then
  if lasts_ms ~= '' then expires = string.format('%.0f', now + lasts_ms) end
  redis.call('HSET', file_key(id), 'state', 'there', 'tenant', tenant, 'name', name, 'bytes', bytes,
    'filename', filename, 'purpose', purpose, 'created', now, 'expires', expires)
  redis.call('ZADD', files_key(tenant), now, id)
  if expires == '' then
    redis.call('ZREM', FILE_EXPIRY, id)
  else
    redis.call('ZADD', FILE_EXPIRY, expires, id)
  end
end
return visible(id, tenant) or false
