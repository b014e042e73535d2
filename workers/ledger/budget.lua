-- Telling of budgets: what has been spent comes near a day's or a month's, or leaves no room. Rendered before limits.lua.
-- A scope's field `budget` is "daily monthly warning" as at its last reservation: micro-dollars, and the part of them from which
-- its tenant is warned; '-' for none. Its fields `warning_day`, ... hold the day or month of which that was told.

-- A delivery is tried for days, and may be asked for again.
local BUDGET_EVENT_TTL_S = RETENTION_S + 32 * 86400

-- Tells it once for each scope and period; whoever has no endpoint then is not told later. `number`: the day's or month's.
local function tell_budget(scope, tenant, event, period, number, limit)
  local scope_hash, told = P .. 'limits:' .. scope.name, event .. '_' .. period
  if redis.call('HGET', scope_hash, told) == tostring(number) then return end
  redis.call('HSET', scope_hash, told, number)
  if redis.call('EXISTS', P .. 'endpoints:' .. tenant) == 0 then return end
  local id = 'budget_' .. string.sub(redis.sha1hex(table.concat({ scope.name, event, period, number }, ' ')), 1, 32)
  redis.call('HSET', P .. 'budget_event:' .. id, 'tenant', tenant, 'scope', scope.name, 'event', 'budget.' .. event,
    'period', period, 'day', scope.day, 'limit', string.format('%d', limit),
    'spent', string.format('%d', scope[period .. '_spent']), 'occurred', now)
  redis.call('EXPIRE', P .. 'budget_event:' .. id, BUDGET_EVENT_TTL_S)
  redis.call('ZADD', OUTBOX, now, id)
end

local function look_at_budget(scope, tenant, period, limit, warning)
  local number, spent = scope[period], scope[period .. '_spent']
  if not limit then return end
  if warning and spent >= limit * warning then tell_budget(scope, tenant, 'warning', period, number, limit) end
  if spent >= limit then tell_budget(scope, tenant, 'exhausted', period, number, limit) end
end

-- After something was spent.
local function look_at_budgets(scope, tenant)
  local daily, monthly, warning = string.match(scope.budget, '^(%S+) (%S+) (%S+)$')
  if not daily then return end
  look_at_budget(scope, tenant, 'day', tonumber(daily), tonumber(warning))
  look_at_budget(scope, tenant, 'month', tonumber(monthly), tonumber(warning))
end
