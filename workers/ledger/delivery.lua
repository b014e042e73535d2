#!lua flags=allow-oom
-- Records how an attempt at a delivery went, or why it is given up without one.
-- ARGV: id, host ('' where there was no attempt), the attempts made before this one, status after it, the delay in ms before
-- the next while it is 'pending', the attempt as JSON ('' for none), the reason where there was none, lease in ms.
-- Returns the id of a delivery that was held and can be tried now, leased; '' where there is none.
local id, host, before, status, delay_ms, attempt, detail, lease_ms = unpack(ARGV)
local MOST_ATTEMPTS = 20
local key = delivery_key(id)
local kept = redis.call('HMGET', key, 'status', 'tries', 'attempts', 'tenant', 'subject', 'host')
if host == '' then host = kept[6] or '' end
redis.call('ZREM', lane_key(host), id)

local function note(next_at)
  local told = cjson.decode(attempt)
  told.next_attempt_at = next_at and next_at / 1000 or cjson.null
  local all = kept[3] and cjson.decode(kept[3]) or {}
  all[#all + 1] = told
  if #all > MOST_ATTEMPTS then table.remove(all, 1) end
  redis.call('HINCRBY', key, 'tries', 1)
  redis.call('HSET', key, 'attempts', cjson.encode(all))
end

-- Told a second time, it is there already.
if kept[1] == 'pending' and kept[2] == before then
  redis.call('HSET', key, 'detail', detail)
  if status == 'pending' then
    local at = now + tonumber(delay_ms)
    note(at)
    redis.call('HSET', key, 'next', at)
    redis.call('ZADD', OUTBOX, at, id)
    -- The job is what is delivered: it must outlive the wait.
    redis.call('EXPIRE', job_key(kept[5]), math.ceil(delay_ms / 1000) + RETENTION_S, 'GT')
    if redis.call('ZSCORE', UNSTORED, kept[5]) then note_delivery(kept[5], true, delay_ms + UNSTORED_MS) end
  else
    if attempt ~= '' then note(nil) end
    redis.call('HSET', key, 'status', status)
    -- Whoever has it now need not ask for it; others may still be told.
    if status == 'delivered' then
      note_delivery(kept[5], redis.call('HGET', job_key(kept[5]), 'unstored'), 10 * UNSTORED_MS)
    end
    redis.call('HDEL', key, 'next')
    redis.call('ZREM', OUTBOX, id)
    redis.call('EXPIRE', key, RETENTION_S)
    redis.call('ZADD', P .. 'settled:' .. kept[4], now, id)
    redis.call('EXPIRE', P .. 'settled:' .. kept[4], RETENTION_S)
  end
end
return let_go_on(host, now + lease_ms)
