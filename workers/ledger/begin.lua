#!lua flags=allow-oom
-- Takes a delivery for one attempt. ARGV: id, the host it goes to, the URL, lease in ms.
-- Returns 1, or 0 when it is not pending, not due, tried by somebody already, or held since its host has enough to do.
local id, host, url, lease_ms = unpack(ARGV)
local key = delivery_key(id)
local kept = redis.call('HMGET', key, 'status', 'next', 'host')
if kept[1] ~= 'pending' then
  redis.call('ZREM', OUTBOX, id)
  return 0
end
-- A pointer that was published twice comes when the next attempt is not due yet.
if tonumber(kept[2]) > now then
  redis.call('ZADD', OUTBOX, 'NX', kept[2], id)
  return 0
end
if kept[3] and kept[3] ~= host then
  -- Its endpoint has another URL now: what waits for its turn at the old host must not wait for it.
  redis.call('ZREM', lane_key(kept[3]), id)
  let_go_on(kept[3], now)
end
redis.call('HSET', key, 'host', host, 'url', url)
local room = has_room(host)
if redis.call('ZSCORE', lane_key(host), id) then return 0 end
if not room then
  redis.call('ZREM', OUTBOX, id)
  redis.call('ZADD', held_key(host), kept[2], id)
  return 0
end
redis.call('ZADD', lane_key(host), now + lease_ms, id)
redis.call('EXPIRE', lane_key(host), LANE_TTL_S)
redis.call('ZADD', OUTBOX, now + lease_ms, id)
return 1
