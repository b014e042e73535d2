-- Whether a request fits its tenant's and its key's limits, and their reservation. Rendered after limits.lua.
-- Limits are told as twelve words for each scope: its name, the limits in the order of LIMITS, '-' for none (money in
-- micro-dollars), and the part of a budget from which to warn. What a job needs is its demand: {requests, tokens, microusd}.

local LIMITS = { 'rate_limit_per_minute', 'tokens_per_minute', 'daily_requests', 'daily_tokens', 'monthly_requests',
  'monthly_tokens', 'concurrent_jobs', 'queued_jobs', 'daily_usd', 'monthly_usd' }
local SCOPE = '(%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+) (%S+)'
local NOTHING = { requests = 0, tokens = 0, microusd = 0 }
-- Longer than a month, and than any job.
local SCOPE_TTL_S = 62 * 86400

-- A number for the month of a day since 1970 in UTC, and which day of it that is, from 0: civil_from_days of
-- http://howardhinnant.github.io/date_algorithms.html, with years that begin in March.
local function month_of(day)
  local z = day + 719468
  local era = math.floor(z / 146097)
  local of_era = z - era * 146097
  local year = math.floor((of_era - math.floor(of_era / 1460) + math.floor(of_era / 36524) - math.floor(of_era / 146096)) / 365)
  local of_year = of_era - (365 * year + math.floor(year / 4) - math.floor(year / 100))
  local month = math.floor((5 * of_year + 2) / 153)
  return (era * 400 + year) * 12 + month, of_year - math.floor((153 * month + 2) / 5)
end

-- The first day of the month after that of `day`.
local function next_month(day)
  local month, of_month = month_of(day)
  local first = day - of_month + 28
  while month_of(first) == month do first = first + 1 end
  return first
end

-- The same of a scope that is open. It is asked of several limits, and takes a while.
local function month_end(scope)
  scope.month_end = scope.month_end or next_month(scope.day)
  return scope.month_end
end

-- The scope as it is now: windows that have passed are left behind.
local function open_scope(name)
  local day = math.floor(now / DAY_MS)
  local scope = read_scope(name)
  if not scope then
    scope = { name = name, fresh = true, window = now, requests = 0, requests_before = 0, tokens = 0, tokens_before = 0, day = -1,
      month = -1, unfinished = 0, queued = 0, budget = '- - -' }
  end
  local age = now - scope.window
  if age >= 2 * MINUTE_MS then
    scope.fresh, scope.window = true, now
    scope.requests, scope.requests_before, scope.tokens, scope.tokens_before = 0, 0, 0, 0
  elseif age >= MINUTE_MS then
    scope.fresh, scope.window = true, scope.window + MINUTE_MS
    scope.requests_before, scope.tokens_before, scope.requests, scope.tokens = scope.requests, scope.tokens, 0, 0
  end
  if scope.day ~= day then
    scope.day, scope.day_requests, scope.day_tokens, scope.day_spent, scope.day_held = day, 0, 0, 0, 0
    local month = month_of(day)
    if scope.month ~= month then
      scope.month, scope.month_requests, scope.month_tokens, scope.month_spent, scope.month_held = month, 0, 0, 0, 0
    end
  end
  return scope
end

-- A sliding window of a minute from the counts of two: the one before counts for as much of it as is still within.
local function over_a_minute(scope, this, before, cost, limit)
  local age = math.max(now - scope.window, 0)
  local used, room = this + before * (1 - age / MINUTE_MS), limit - cost
  local wait, reset = 0, 0
  if this > 0 then reset = 2 * MINUTE_MS - age elseif before > 0 then reset = MINUTE_MS - age end
  if room < 0 then
    wait = -1
  elseif used > room + 1e-6 then
    if this > room then
      wait = 2 * MINUTE_MS - age - MINUTE_MS * room / this
    else
      wait = MINUTE_MS - age - MINUTE_MS * (room - this) / before
    end
  end
  return used, wait, reset
end

local function over_a_period(used, cost, limit, ends_on)
  local left = ends_on * DAY_MS - now
  local wait = used + cost > limit and (cost > limit and -1 or left) or 0
  return used, wait, used > 0 and left or 0
end

-- Nobody knows when a job will end: the next one is expected after the time that it took for those before.
local function of_jobs(scope, used, limit)
  if used < limit then return used, 0, 0 end
  if limit == 0 then return used, -1, 0 end
  local last, pace = pace_of(scope)
  local left = last and last + pace - now or 0
  return used, math.min(math.max(left > 0 and left or pace or 0, 1000), MINUTE_MS), 0
end

-- What is used of a scope's i-th limit, the ms until `demand` fits (0: it does; -1: it never will), and the ms until nothing of
-- it is used.
local function measure(scope, i, demand)
  local limit, requests, tokens, microusd = scope.limits[i], demand.requests, demand.tokens, demand.microusd
  if i == 1 then
    return over_a_minute(scope, scope.requests, scope.requests_before, requests, limit)
  elseif i == 2 then
    return over_a_minute(scope, scope.tokens, scope.tokens_before, tokens, limit)
  elseif i == 3 then
    return over_a_period(scope.day_requests, requests, limit, scope.day + 1)
  elseif i == 4 then
    return over_a_period(scope.day_tokens, tokens, limit, scope.day + 1)
  elseif i == 5 then
    return over_a_period(scope.month_requests, requests, limit, month_end(scope))
  elseif i == 6 then
    return over_a_period(scope.month_tokens, tokens, limit, month_end(scope))
  elseif i == 9 then
    return over_a_period(scope.day_spent + scope.day_held, microusd, limit, scope.day + 1)
  elseif i == 10 then
    return over_a_period(scope.month_spent + scope.month_held, microusd, limit, month_end(scope))
  end
  return of_jobs(scope, i == 7 and scope.unfinished or scope.queued, limit)
end

-- The scopes with their limits, opened.
local function open_scopes(words)
  local scopes = {}
  for name, a, b, c, d, e, f, g, h, daily, monthly, warning in string.gmatch(words, SCOPE) do
    local scope = open_scope(name)
    scope.limits = { tonumber(a), tonumber(b), tonumber(c), tonumber(d), tonumber(e), tonumber(f), tonumber(g), tonumber(h),
      tonumber(daily), tonumber(monthly) }
    scope.told = daily .. ' ' .. monthly .. ' ' .. warning
    scopes[#scopes + 1] = scope
  end
  return scopes
end

-- What of a budget is held for jobs under way; 0 of other limits.
local function held_of(scope, i)
  if i == 9 then return scope.day_held end
  return i == 10 and scope.month_held or 0
end

-- The limit that a request meets which has to wait longest, or for ever: {name, limit, used, wait_ms, scope, held}; nil where
-- it fits all. A budget that keeps it out, whatever comes back of what is held, is exhausted, and its tenant told.
local function first_obstacle(scopes, demand, tenant)
  local worst
  for _, scope in ipairs(scopes) do
    for i = 1, #LIMITS do
      local limit = scope.limits[i]
      if limit then
        local used, wait = measure(scope, i, demand)
        if wait ~= 0 and (not worst or wait == -1 or (worst[4] ~= -1 and wait > worst[4])) then
          worst = { LIMITS[i], limit, math.ceil(used), math.ceil(wait), scope.name, held_of(scope, i) }
        end
        if i > 8 and wait > 0 and used - held_of(scope, i) + demand.microusd > limit then
          local period = i == 9 and 'day' or 'month'
          tell_budget(scope, tenant, 'exhausted', period, scope[period], limit)
        end
      end
    end
  end
  return worst
end

-- How the limit of requests (first = 1) or of tokens (2) stands of which least is left: "limit remaining reset_ms", or ''.
local function tightest(scopes, first)
  local least, told
  for _, scope in ipairs(scopes) do
    for i = first, 6, 2 do
      local limit = scope.limits[i]
      if limit then
        local used, _, reset = measure(scope, i, NOTHING)
        local left = math.max(math.floor(limit - used + 1e-6), 0)
        if not least or left < least then
          least, told = left, string.format('%d %d %d', limit, left, math.ceil(reset))
        end
      end
    end
  end
  return told or ''
end

local function standing_of(scopes) return { tightest(scopes, 1), tightest(scopes, 2) } end

-- Counts only where a limit asks for it, but for days and months: a limit that comes later finds those. Returns what the scope
-- has reserved, as the job notes it. The scope is not kept yet.
local function take(scope, demand)
  local limits = scope.limits
  local minutely, jobs = limits[1] or limits[2], limits[7] or limits[8]
  if minutely then scope.requests, scope.tokens = scope.requests + demand.requests, scope.tokens + demand.tokens end
  scope.day_requests, scope.day_tokens = scope.day_requests + demand.requests, scope.day_tokens + demand.tokens
  scope.month_requests, scope.month_tokens = scope.month_requests + demand.requests, scope.month_tokens + demand.tokens
  scope.day_held, scope.month_held = scope.day_held + demand.microusd, scope.month_held + demand.microusd
  if jobs then scope.counts, scope.unfinished, scope.queued = true, scope.unfinished + 1, scope.queued + 1 end
  return string.format('%s %d %d %d %d %d %d %d', scope.name, minutely and scope.window or 0, scope.day, scope.month,
    demand.requests, demand.tokens, jobs and 1 or 0, demand.microusd)
end

local function keep_scope(scope)
  local key = scope_key(scope.name)
  if scope.counts then
    redis.call('HSET', key, 'used', used_of(scope), 'unfinished', scope.unfinished, 'queued', scope.queued)
  else
    redis.call('HSET', key, 'used', used_of(scope))
  end
  if scope.told ~= scope.budget then redis.call('HSET', key, 'budget', scope.told) end
  if scope.fresh then redis.call('EXPIRE', key, SCOPE_TTL_S) end
end

-- Notes for a job what it takes of the scopes, which it was found to fit. They are to be kept afterwards.
local function reserve_for(id, scopes, demand)
  local reserved = {}
  for i, scope in ipairs(scopes) do reserved[i] = take(scope, demand) end
  redis.call('HSET', job_key(id), 'limits', table.concat(reserved, ' '))
end

-- Reserves what a new job is taken to need, in all scopes or in none. Returns how the limits stand afterwards, and, where one
-- of them refuses it, which (first_obstacle).
local function reserve_limits(id, tenant, words, demand)
  local scopes = open_scopes(words)
  local obstacle = first_obstacle(scopes, demand, tenant)
  if not obstacle then
    reserve_for(id, scopes, demand)
    for _, scope in ipairs(scopes) do keep_scope(scope) end
  end
  return standing_of(scopes), obstacle
end
