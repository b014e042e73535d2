#!lua flags=allow-oom
-- Gives up what is due: expired files, those that were deleted, and uploads that ended with their process. Whoever calls
-- has the bytes removed; until that is told, they are due again. ARGV: how many, ms until then.
-- Returns a flat list: id, name in the storage ('' where it is not known), ...
local most, again_ms = unpack(ARGV)
local due = {}
for _, id in ipairs(redis.call('ZRANGE', FILE_EXPIRY, '-inf', now, 'BYSCORE', 'LIMIT', 0, most)) do
  local file = redis.call('HMGET', file_key(id), 'tenant', 'name')
  hide_file(id, file[1], now + again_ms)
  due[#due + 1] = id
  due[#due + 1] = file[2] or ''
end
return due
