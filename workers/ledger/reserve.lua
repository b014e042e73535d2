-- Whether a request fits its tenant's limits, and their reservation. Rendered after limits.lua.
-- ARGV of limits: ten words for each scope, its name and its limits in the order of LIMITS, '-' for none.

local LIMITS = { 'rate_limit_per_minute', 'tokens_per_minute', 'daily_requests', 'daily_tokens', 'monthly_requests',
  'monthly_tokens', 'concurrent_jobs', 'queued_jobs' }
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

-- The scope as it is now: windows that have passed are left behind.
local function open_scope(name)
  local day = math.floor(now / DAY_MS)
  local scope = read_scope(name)
  if not scope then
    scope = { name = name }
    for _, counter in ipairs(COUNTERS) do scope[counter] = 0 end
  end
  local age = now - scope.window_ms
  if age >= 2 * MINUTE_MS then
    scope.window_ms, scope.fresh = now, true
    scope.requests, scope.requests_before, scope.tokens, scope.tokens_before = 0, 0, 0, 0
  elseif age >= MINUTE_MS then
    scope.window_ms, scope.fresh = scope.window_ms + MINUTE_MS, true
    scope.requests_before, scope.tokens_before, scope.requests, scope.tokens = scope.requests, scope.tokens, 0, 0
  end
  if scope.day ~= day then
    scope.day, scope.day_requests, scope.day_tokens = day, 0, 0
    local month = month_of(day)
    if scope.month ~= month then scope.month, scope.month_requests, scope.month_tokens = month, 0, 0 end
  end
  return scope
end

-- A sliding window of a minute from the counts of two: the one before counts for as much of it as is still within.
local function over_a_minute(scope, this, before, cost, limit)
  local age = math.max(now - scope.window_ms, 0)
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
  local left = scope.ended_ms + scope.pace_ms - now
  return used, math.min(math.max(left > 0 and left or scope.pace_ms, 1000), MINUTE_MS), 0
end

-- What is used of a scope's limit, the ms until `tokens` more fit (0: they do; -1: they never will), and the ms until
-- nothing of it is used. A request costs 1 where requests are counted; 0 asks how things stand.
local function measure(scope, name, limit, tokens, request)
  if name == 'rate_limit_per_minute' then
    return over_a_minute(scope, scope.requests, scope.requests_before, request, limit)
  elseif name == 'tokens_per_minute' then
    return over_a_minute(scope, scope.tokens, scope.tokens_before, tokens, limit)
  elseif name == 'daily_requests' then
    return over_a_period(scope.day_requests, request, limit, scope.day + 1)
  elseif name == 'daily_tokens' then
    return over_a_period(scope.day_tokens, tokens, limit, scope.day + 1)
  elseif name == 'monthly_requests' then
    return over_a_period(scope.month_requests, request, limit, next_month(scope.day))
  elseif name == 'monthly_tokens' then
    return over_a_period(scope.month_tokens, tokens, limit, next_month(scope.day))
  end
  return of_jobs(scope, name == 'concurrent_jobs' and scope.unfinished or scope.queued, limit)
end

-- The scopes with their limits, opened.
local function open_scopes(words)
  local scopes, list = {}, {}
  for word in string.gmatch(words, '%S+') do list[#list + 1] = word end
  for start = 1, #list, #LIMITS + 1 do
    local scope = open_scope(list[start])
    scope.limits = {}
    for i, name in ipairs(LIMITS) do scope.limits[name] = tonumber(list[start + i]) end
    scopes[#scopes + 1] = scope
  end
  return scopes
end

-- The limit that a request meets which has to wait longest, or for ever: {name, limit, used, wait_ms}; nil where it fits all.
local function first_obstacle(scopes, tokens)
  local worst
  for _, scope in ipairs(scopes) do
    for _, name in ipairs(LIMITS) do
      local limit = scope.limits[name]
      if limit then
        local used, wait = measure(scope, name, limit, tokens, 1)
        if wait ~= 0 and (not worst or wait == -1 or (worst[4] ~= -1 and wait > worst[4])) then
          worst = { name, limit, math.ceil(used), math.ceil(wait) }
        end
      end
    end
  end
  return worst
end

-- The limit of requests and that of tokens of which least is left: "limit remaining reset_ms" each, '' where there is none.
local function standing_of(scopes)
  local tightest = { '', '' }
  local least = {}
  for _, scope in ipairs(scopes) do
    for i = 1, 6 do
      local limit, what = scope.limits[LIMITS[i]], 2 - i % 2
      if limit then
        local used, _, reset = measure(scope, LIMITS[i], limit, 0, 0)
        local left = math.max(math.floor(limit - used + 1e-6), 0)
        if not least[what] or left < least[what] then
          least[what] = left
          tightest[what] = string.format('%d %d %d', limit, left, math.ceil(reset))
        end
      end
    end
  end
  return tightest
end

local function take(scope, tokens)
  local minutely = scope.limits.rate_limit_per_minute or scope.limits.tokens_per_minute
  local jobs = scope.limits.concurrent_jobs or scope.limits.queued_jobs
  if minutely then scope.requests, scope.tokens = scope.requests + 1, scope.tokens + tokens end
  scope.day_requests, scope.day_tokens = scope.day_requests + 1, scope.day_tokens + tokens
  scope.month_requests, scope.month_tokens = scope.month_requests + 1, scope.month_tokens + tokens
  if jobs then scope.unfinished, scope.queued = scope.unfinished + 1, scope.queued + 1 end
  write_scope_of(scope)
  if scope.fresh then redis.call('EXPIRE', scope_key(scope.name), SCOPE_TTL_S) end
  return string.format('%s %d %d %d %d %d', scope.name, minutely and scope.window_ms or 0, scope.day, scope.month, tokens,
    jobs and 1 or 0)
end

-- Reserves one request of `tokens` for a new job, in all scopes or in none. Returns how the limits stand afterwards, and, where
-- one of them refuses it, which (first_obstacle).
local function reserve_limits(id, words, tokens)
  local scopes = open_scopes(words)
  local obstacle = first_obstacle(scopes, tokens)
  if not obstacle then
    local reserved = {}
    for i, scope in ipairs(scopes) do reserved[i] = take(scope, tokens) end
    redis.call('HSET', job_key(id), 'limits', table.concat(reserved, ' '))
  end
  return standing_of(scopes), obstacle
end
