#!lua flags=allow-oom
-- Has deliveries that have ended tried again from now on. ARGV: tenant, id, ... Returns how many there were.
local tenant = ARGV[1]
local count = 0
for place = 2, #ARGV do
  local id = ARGV[place]
  local kept = redis.call('HMGET', delivery_key(id), 'tenant', 'status', 'subject')
  if kept[1] == tenant and kept[2] ~= 'pending' then
    redis.call('PERSIST', delivery_key(id))
    redis.call('HSET', delivery_key(id), 'status', 'pending', 'tries', 0, 'next', now, 'detail', '')
    redis.call('ZREM', P .. 'settled:' .. tenant, id)
    redis.call('ZADD', OUTBOX, now, id)
    redis.call('EXPIRE', job_key(kept[3]), RETENTION_S, 'GT')
    count = count + 1
  end
end
return count
