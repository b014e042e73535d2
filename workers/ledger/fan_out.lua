#!lua flags=allow-oom
-- Puts one delivery for each receiver that wants to know in the place of a subject's entry in the outbox.
-- ARGV: subject, tenant, event, when it happened in ms, the URL its request named ('' for none), the one endpoint to tell
-- whatever it wants ('' for those that want the event), lease in ms, how many deliveries a tenant may have.
-- Returns how many undelivered ones were dropped for want of room, then the ids of the new ones, leased.
local subject, tenant, event, occurred, url, only, lease_ms, most = unpack(ARGV)
local ALL, SETTLED = P .. 'deliveries:' .. tenant, P .. 'settled:' .. tenant
-- Longer than any delivery is tried.
local LOG_TTL_S = RETENTION_S + 30 * 86400
if only == '' and redis.call('ZREM', OUTBOX, subject) == 0 then return { 0 } end

local answer = { 0 }
local function tell(endpoint, address)
  local words = subject .. ' ' .. event .. ' ' .. occurred .. ' ' .. endpoint
  local id = 'dlv_' .. string.sub(redis.sha1hex(words), 1, 32)
  answer[#answer + 1] = id
  if redis.call('EXISTS', delivery_key(id)) == 1 then return end
  redis.call('HSET', delivery_key(id), 'tenant', tenant, 'subject', subject, 'event', event, 'occurred', occurred,
    'endpoint', endpoint, 'url', address, 'created', now, 'status', 'pending', 'tries', 0, 'next', now)
  redis.call('ZADD', OUTBOX, now + lease_ms, id)
  redis.call('ZADD', ALL, now, id)
  redis.call('EXPIRE', ALL, LOG_TTL_S)
end

local function wants(endpoint)
  if endpoint.disabled then return false end
  for _, name in ipairs(endpoint.events) do
    if name == '*' or name == event then return true end
  end
  return false
end

local function forget(id)
  local host = redis.call('HGET', delivery_key(id), 'host')
  local pending = redis.call('HGET', delivery_key(id), 'status') == 'pending'
  redis.call('DEL', delivery_key(id))
  redis.call('ZREM', ALL, id)
  redis.call('ZREM', SETTLED, id)
  redis.call('ZREM', OUTBOX, id)
  if host then
    redis.call('ZREM', held_key(host), id)
    redis.call('ZREM', lane_key(host), id)
    let_go_on(host, now)
  end
  return pending and 1 or 0
end

if url ~= '' then tell('', url) end
local endpoints = redis.call('HGETALL', P .. 'endpoints:' .. tenant)
for place = 1, #endpoints, 2 do
  local endpoint = cjson.decode(endpoints[place + 1])
  if only == endpoints[place] or (only == '' and wants(endpoint)) then tell(endpoints[place], endpoint.url) end
end

for _, id in ipairs(redis.call('ZRANGE', SETTLED, '-inf', now - RETENTION_S * 1000, 'BYSCORE', 'LIMIT', 0, 20)) do
  forget(id)
end
-- Ended ones go first, the oldest of them first; then the oldest.
while redis.call('ZCARD', ALL) > tonumber(most) do
  local id = redis.call('ZRANGE', SETTLED, 0, 0)[1] or redis.call('ZRANGE', ALL, 0, 0)[1]
  answer[1] = answer[1] + forget(id)
end
return answer
