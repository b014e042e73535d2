-- Files: `file:ID` is a hash, whose `state` is 'coming' (its bytes are being stored), 'there', or 'gone' (its bytes are to
-- be removed, or were). What is coming, expires or is gone stands in `file_expiry` until it is settled, so that nothing is
-- left for ever whoever dies.
local FILE_EXPIRY = P .. 'file_expiry'
local function file_key(id) return P .. 'file:' .. id end
local function files_key(tenant) return P .. 'files:' .. tenant end

-- A file as its tenant sees it: {id, name, filename, purpose, bytes, created, expires}; nil where there is none to see.
local function visible(id, tenant)
  local file = redis.call('HMGET', file_key(id), 'tenant', 'state', 'name', 'filename', 'purpose', 'bytes', 'created', 'expires')
  if file[1] ~= tenant or file[2] ~= 'there' then return nil end
  if file[8] ~= '' and tonumber(file[8]) <= now then return nil end
  return { id, unpack(file, 3, 8) }
end

-- Nobody sees the file any more; its bytes are due for removal at `due` (ms).
local function hide_file(id, tenant, due)
  if redis.call('EXISTS', file_key(id)) == 1 then redis.call('HSET', file_key(id), 'state', 'gone') end
  if tenant then redis.call('ZREM', files_key(tenant), id) end
  redis.call('ZADD', FILE_EXPIRY, due, id)
end
