#!lua flags=allow-oom
-- Gives unfinished batches that nobody holds to a worker: tenants in turn, of each the one with the earliest deadline.
-- ARGV: how many, lease in ms, then the tenants that have enough already. Returns id, epoch, ...
local limit, lease_ms = tonumber(ARGV[1]), tonumber(ARGV[2])
local SCHEDULED = P .. 'batch_schedule'
-- Of so many that are due the choice is made.
local LOOK = 1000
local sated, waiting, tenants = {}, {}, {}
for i = 3, #ARGV do sated[ARGV[i]] = true end
for _, id in ipairs(redis.call('ZRANGE', SCHEDULED, '-inf', now, 'BYSCORE', 'LIMIT', 0, LOOK)) do
  local batch = redis.call('HMGET', batch_key(id), 'tenant', 'deadline')
  if not batch[1] then
    redis.call('ZREM', SCHEDULED, id)
  elseif not sated[batch[1]] then
    if not waiting[batch[1]] then
      waiting[batch[1]] = {}
      tenants[#tenants + 1] = batch[1]
    end
    table.insert(waiting[batch[1]], { tonumber(batch[2]), id })
  end
end
for _, tenant in ipairs(tenants) do
  table.sort(waiting[tenant], function(a, b) return a[1] < b[1] or (a[1] == b[1] and a[2] < b[2]) end)
end
local taken, turn = {}, 1
while #taken < 2 * limit do
  local any = false
  for _, tenant in ipairs(tenants) do
    local next_one = waiting[tenant][turn]
    if next_one and #taken < 2 * limit then
      local id = next_one[2]
      any = true
      redis.call('ZADD', SCHEDULED, now + lease_ms, id)
      taken[#taken + 1] = id
      taken[#taken + 1] = redis.call('HINCRBY', batch_key(id), 'epoch', 1)
    end
  end
  if not any then break end
  turn = turn + 1
end
return taken
