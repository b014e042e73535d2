#!lua flags=allow-oom
-- Writes a key or a tenant that was made at run time, if it is still what was read, and notes the change for every
-- process's book of them (workers/access/book.py). A tenant that is dropped takes its keys with it. Also where Redis is
-- full: a key must be revoked then, too.
-- ARGV: 'keys' or 'tenants', id, the row as it was read ('' for none), the new one ('' drops it), the tenant that must be in
-- the store for it ('' for none).
-- Returns 1, 0 (it has changed since it was read) or -1 (there is no such tenant).
local kind, id, before, after, owner = unpack(ARGV)
local ROWS, DIGESTS = P .. 'access:' .. kind, P .. 'access:digests'
local KEYS_ROWS, VERSION = P .. 'access:keys', P .. 'access:version'
local function keys_of(tenant) return P .. 'access:keys_of:' .. tenant end

local kept = redis.call('HGET', ROWS, id) or ''
-- The same write again, after a connection that broke before its answer came.
if kept == after then return 1 end
if kept ~= before then return 0 end
if owner ~= '' and redis.call('HEXISTS', P .. 'access:tenants', owner) == 0 then return -1 end

-- A clock that only goes forward: what was lost with Redis's last second is not taken for what came after it.
local version = math.max(tonumber(redis.call('GET', VERSION) or '0') + 1, clock[1] * 1000000 + clock[2])
version = string.format('%.0f', version)
redis.call('SET', VERSION, version)
local function note(what) redis.call('ZADD', P .. 'access:changes', version, what) end

local function forget(key_id, row)
  local key = cjson.decode(row)
  redis.call('HDEL', DIGESTS, key.digest, key.last_digest)
  redis.call('SREM', keys_of(key.tenant_id), key_id)
end

if kind == 'keys' then
  if before ~= '' then forget(id, before) end
  if after ~= '' then
    local key = cjson.decode(after)
    redis.call('HSET', DIGESTS, key.digest, id)
    if key.last_digest ~= '' then redis.call('HSET', DIGESTS, key.last_digest, id) end
    redis.call('SADD', keys_of(key.tenant_id), id)
  end
elseif after == '' then
  for _, key_id in ipairs(redis.call('SMEMBERS', keys_of(id))) do
    local row = redis.call('HGET', KEYS_ROWS, key_id)
    if row then forget(key_id, row) end
    redis.call('HDEL', KEYS_ROWS, key_id)
    note('keys ' .. key_id)
  end
end
if after == '' then
  redis.call('HDEL', ROWS, id)
else
  redis.call('HSET', ROWS, id, after)
end
note(kind .. ' ' .. id)
return 1
