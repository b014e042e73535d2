-- What tenants and keys have used of their limits. Rendered after shared.lua and budget.lua, in the scripts that accept and end jobs.
-- A scope ("tenant:ID" or "key:ID") has one hash. Its field `used` holds, in one string because that is read and written
-- fastest: when its minute's window began (ms), requests in it and in the one before, tokens in it and in the one before; the
-- day (since 1970), its requests and tokens, the micro-dollars that were spent in it and those held for jobs under way; the
-- month (a number of month_of), and the same of it. A window begins with the first request after the one before it has ended.
-- The fields `unfinished` and `queued` count jobs, `ends` is "ms pace_ms": the last one's end, and how long it takes from one to
-- the next. `budget` and more: budget.lua.
-- A job's field `limits` says what it has reserved, eight words for each scope: "name window_ms day month requests tokens jobs
-- microusd", where the window is 0 if the job counts in none, requests is 0 for a batch's line, of which only money counts,
-- and jobs is 1 if it counts among the scope's unfinished and queued ones.

local USED = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
local MINUTE_MS, DAY_MS = 60000, 86400000

local function scope_key(name) return P .. 'limits:' .. name end

-- The scope as it is kept; nil where nothing is, or nothing that can be read.
local function read_scope(name)
  local kept = redis.call('HMGET', scope_key(name), 'used', 'unfinished', 'queued', 'ends', 'budget')
  local window, requests, requests_before, tokens, tokens_before, day, day_requests, day_tokens, day_spent, day_held, month,
    month_requests, month_tokens, month_spent, month_held = string.match(kept[1] or '', USED)
  if not window then return nil end
  return { name = name, window = tonumber(window), requests = tonumber(requests), requests_before = tonumber(requests_before),
    tokens = tonumber(tokens), tokens_before = tonumber(tokens_before), day = tonumber(day),
    day_requests = tonumber(day_requests), day_tokens = tonumber(day_tokens), day_spent = tonumber(day_spent),
    day_held = tonumber(day_held), month = tonumber(month), month_requests = tonumber(month_requests),
    month_tokens = tonumber(month_tokens), month_spent = tonumber(month_spent), month_held = tonumber(month_held),
    unfinished = tonumber(kept[2]) or 0, queued = tonumber(kept[3]) or 0, ends = kept[4], budget = kept[5] or '- - -' }
end

-- Its string for `used`.
local function used_of(s)
  return string.format('%d %d %d %d %d %d %d %d %d %d %d %d %d %d %d', s.window, s.requests, s.requests_before, s.tokens,
    s.tokens_before, s.day, s.day_requests, s.day_tokens, s.day_spent, s.day_held, s.month, s.month_requests, s.month_tokens,
    s.month_spent, s.month_held)
end

-- When the last job of the scope ended, and how long it took from one end to the next; nil before the first.
local function pace_of(scope)
  local last, pace = string.match(scope.ends or '', '^(%d+) (%d+)$')
  return tonumber(last), tonumber(pace)
end

-- Counts a job that ends. The time it took goes from the end before it, or from when the job was accepted, if that is later.
local function end_one(scope, was_queued, created)
  local last, pace = pace_of(scope)
  local gap = now - math.max(last or 0, created)
  pace = pace and pace + (gap - pace) / 4 or gap
  redis.call('HSET', scope_key(scope.name), 'unfinished', math.max(scope.unfinished - 1, 0),
    'queued', math.max(scope.queued - (was_queued and 1 or 0), 0), 'ends', string.format('%d %d', now, math.max(pace, 0)))
end

local function correct_period(scope, period, change)
  local tokens, requests, spent, held = period .. '_tokens', period .. '_requests', period .. '_spent', period .. '_held'
  scope[tokens] = math.max(scope[tokens] + change.tokens, 0)
  scope[requests] = math.max(scope[requests] + change.requests, 0)
  scope[spent] = scope[spent] + change.spent
  scope[held] = math.max(scope[held] + change.held, 0)
end

-- Counts in the windows in which a job was reserved (`at`); those that have passed are nobody's concern any more.
local function correct(scope, tenant, at, change)
  if at.window == scope.window then
    scope.tokens = math.max(scope.tokens + change.tokens, 0)
  elseif at.window ~= 0 and at.window == scope.window - MINUTE_MS then
    scope.tokens_before = math.max(scope.tokens_before + change.tokens, 0)
  end
  if at.day == scope.day then correct_period(scope, 'day', change) end
  if at.month == scope.month then correct_period(scope, 'month', change) end
  redis.call('HSET', scope_key(scope.name), 'used', used_of(scope))
  if change.spent > 0 then look_at_budgets(scope, tenant) end
end

local RESERVED = '(%S+) (%d+) (%d+) (%d+) (%d) (%d+) (%d) (%d+)'

-- What the scopes of a job have reserved, one after the other: the scope, where it counts, and what is held there.
local function each_reserved(reserved)
  local next_one = string.gmatch(reserved, RESERVED)
  return function()
    while true do
      local name, window, day, month, requests, tokens, jobs, held = next_one()
      if not name then return nil end
      local scope = read_scope(name)
      if scope then
        return scope, { window = tonumber(window), day = tonumber(day), month = tonumber(month) },
          { requests = tonumber(requests), tokens = tonumber(tokens), jobs = jobs == '1', held = tonumber(held) }
      end
    end
  end
end

-- A job's end: what it has not used of its estimates is given back, and its request to the day and the month unless it was
-- served. The request stays in its minute: that limit is of how often one asks.
-- `ending`: tenant, served, used (tokens) and cost (micro-dollars), each nil where nobody knows, was_queued, created.
settle_limits = function(reserved, ending)
  for scope, at, own in each_reserved(reserved) do
    local change = {
      tokens = own.requests == 0 and 0 or (ending.used or own.tokens) - own.tokens,
      requests = ending.served and 0 or -own.requests,
      spent = ending.cost or (ending.served and own.held or 0),
      held = -own.held,
    }
    if change.tokens ~= 0 or change.requests ~= 0 or change.spent ~= 0 or change.held ~= 0 then
      correct(scope, ending.tenant, at, change)
    end
    if own.jobs then end_one(scope, ending.was_queued, ending.created) end
  end
end

-- What a run has used whose job was ended before: nothing of it is reserved any more.
local function charge_limits(reserved, tenant, used, cost)
  for scope, at, own in each_reserved(reserved) do
    correct(scope, tenant, at, { tokens = own.requests == 0 and 0 or used, requests = 0, spent = cost, held = 0 })
  end
end

-- What a run has spent in vain of a job that goes on elsewhere, beside what is held for that. Its tokens are no caller's concern.
local function charge_waste(id, reserved, cost)
  if reserved and cost > 0 then charge_limits(reserved, redis.call('HGET', job_key(id), 'tenant'), 0, cost) end
end
