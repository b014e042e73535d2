-- What tenants have used of their limits. Rendered after shared.lua, in the scripts that accept and end jobs.
-- A scope ("tenant:ID") has one hash. Its field `used` holds, in one string because that is read and written fastest: when
-- its minute's window began (ms), requests in it and in the one before, tokens in it and in the one before; the day (since
-- 1970), its requests and tokens; the month (a number of month_of), its requests and tokens. A window begins with the first
-- request after the one before it has ended. The fields `unfinished` and `queued` count jobs, `ends` is "ms pace_ms": the last
-- one's end, and how long it takes from one to the next.
-- A job's field `limits` says what it has reserved, six words for each scope: "name window_ms day month tokens jobs", where
-- the window is 0 if the job counts in none, and jobs is 1 if it counts among the scope's unfinished and queued ones.

local USED = '^(%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+) (%d+)$'
local MINUTE_MS, DAY_MS = 60000, 86400000

local function scope_key(name) return P .. 'limits:' .. name end

-- The scope as it is kept; nil where nothing is, or nothing that can be read.
local function read_scope(name)
  local kept = redis.call('HMGET', scope_key(name), 'used', 'unfinished', 'queued', 'ends')
  local window, requests, requests_before, tokens, tokens_before, day, day_requests, day_tokens, month, month_requests,
    month_tokens = string.match(kept[1] or '', USED)
  if not window then return nil end
  return { name = name, window = tonumber(window), requests = tonumber(requests), requests_before = tonumber(requests_before),
    tokens = tonumber(tokens), tokens_before = tonumber(tokens_before), day = tonumber(day),
    day_requests = tonumber(day_requests), day_tokens = tonumber(day_tokens), month = tonumber(month),
    month_requests = tonumber(month_requests), month_tokens = tonumber(month_tokens),
    unfinished = tonumber(kept[2]) or 0, queued = tonumber(kept[3]) or 0, ends = kept[4] }
end

-- Its string for `used`.
local function used_of(s)
  return string.format('%d %d %d %d %d %d %d %d %d %d %d', s.window, s.requests, s.requests_before, s.tokens, s.tokens_before,
    s.day, s.day_requests, s.day_tokens, s.month, s.month_requests, s.month_tokens)
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

-- Counts in the windows in which a job was reserved; those that have passed are nobody's concern any more.
local function correct(scope, window, day, month, tokens, requests)
  if window == scope.window then
    scope.tokens = math.max(scope.tokens + tokens, 0)
  elseif window ~= 0 and window == scope.window - MINUTE_MS then
    scope.tokens_before = math.max(scope.tokens_before + tokens, 0)
  end
  if day == scope.day then
    scope.day_tokens = math.max(scope.day_tokens + tokens, 0)
    scope.day_requests = math.max(scope.day_requests + requests, 0)
  end
  if month == scope.month then
    scope.month_tokens = math.max(scope.month_tokens + tokens, 0)
    scope.month_requests = math.max(scope.month_requests + requests, 0)
  end
  redis.call('HSET', scope_key(scope.name), 'used', used_of(scope))
end

local RESERVED = '(%S+) (%d+) (%d+) (%d+) (%d+) (%d)'

-- A job's end: what it has not used of its estimate is given back, and its request to the day and the month unless it was
-- served. The request stays in its minute: that limit is of how often one asks. `used`: tokens, nil where nobody knows.
settle_limits = function(reserved, served, used, was_queued, created)
  for name, window, day, month, tokens, jobs in string.gmatch(reserved, RESERVED) do
    local scope = read_scope(name)
    if scope then
      local more, requests = (used or tonumber(tokens)) - tokens, served and 0 or -1
      if more ~= 0 or requests ~= 0 then
        correct(scope, tonumber(window), tonumber(day), tonumber(month), more, requests)
      end
      if jobs == '1' then end_one(scope, was_queued, created) end
    end
  end
end

-- What a run has used whose job was ended before: nothing of it is reserved any more.
local function charge_limits(reserved, used)
  for name, window, day, month in string.gmatch(reserved, RESERVED) do
    local scope = read_scope(name)
    if scope then correct(scope, tonumber(window), tonumber(day), tonumber(month), used, 0) end
  end
end
