-- Deliveries to one host: a bounded number is tried at once, by all processes together, the others are held until one of
-- those ends. Each that is tried stands in its lane until its lease ends, and in the outbox as long; so somebody always
-- comes to let a held one go on.
local ATTEMPTS_PER_HOST = 4
local LANE_TTL_S = 3600

local function delivery_key(id) return P .. 'delivery:' .. id end
local function lane_key(host) return P .. 'lane:' .. host end
local function held_key(host) return P .. 'held:' .. host end

local function has_room(host)
  redis.call('ZREMRANGEBYSCORE', lane_key(host), '-inf', now)
  return redis.call('ZCARD', lane_key(host)) < ATTEMPTS_PER_HOST
end

-- Lets the longest held go on if there is room, at the time `at` unless somebody tries it at once; its id or ''.
local function let_go_on(host, at)
  if not has_room(host) then return '' end
  while true do
    local first = redis.call('ZPOPMIN', held_key(host))
    if #first == 0 then return '' end
    if redis.call('HGET', delivery_key(first[1]), 'status') == 'pending' then
      redis.call('ZADD', OUTBOX, at, first[1])
      return first[1]
    end
  end
end
