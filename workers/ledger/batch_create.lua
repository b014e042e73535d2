#!lua
-- Accepts a batch: its record, its place in the batches' own schedule, its Idempotency-Key, all or nothing.
-- ARGV: id, tenant, idempotency ('' for none), fingerprint, window in ms, how many unfinished ones a tenant may have, how
-- long a finished one is kept in s, then field, value, ...
-- Returns {'accepted', id}, {'existing', id}, {'conflict', id} or {'full', how many are unfinished}.
local id, tenant, idempotency, fingerprint, window_ms, most, keep_s = unpack(ARGV, 1, 7)
local key, open, index = batch_key(id), P .. 'batches_open:' .. tenant, P .. 'batches:' .. tenant
-- The same step again, after a connection that broke before its answer came.
if redis.call('EXISTS', key) == 1 then return { 'accepted', id } end
local claim = P .. 'batch_idempotency:' .. tenant .. ':' .. idempotency
if idempotency ~= '' then
  local holder, first = string.match(redis.call('GET', claim) or '', '^(%S+) (%S+)$')
  if holder then return { first == fingerprint and 'existing' or 'conflict', holder } end
end
local unfinished = redis.call('SCARD', open)
if unfinished >= tonumber(most) then return { 'full', unfinished } end
if idempotency ~= '' then redis.call('SET', claim, id .. ' ' .. fingerprint, 'EX', RETENTION_S) end
redis.call('HSET', key, 'tenant', tenant, 'status', 'validating', 'epoch', 0, 'created', now,
  'deadline', now + window_ms, 'total', 0, 'completed', 0, 'failed', 0, 'cursor', 0, 'offset', 0, 'parts', 0, unpack(ARGV, 8))
redis.call('SADD', open, id)
redis.call('ZADD', P .. 'batch_schedule', now, id)
-- Those that are no longer kept leave the list, a few at a time.
for _, old in ipairs(redis.call('ZRANGE', index, '-inf', now - keep_s * 1000, 'BYSCORE', 'LIMIT', 0, 20)) do
  if redis.call('EXISTS', batch_key(old)) == 0 then redis.call('ZREM', index, old) end
end
redis.call('ZADD', index, now, id)
return { 'accepted', id }
