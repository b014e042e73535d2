-- What tenants have used of their limits. Rendered after shared.lua, in the scripts that accept and end jobs.
-- A scope ("tenant:ID") has one hash of these fields, all of them counts but those named in ms. A minute's window begins with
-- the first request after the one before it; days are counted from 1970, months as month_of tells them.
-- A job's field `limits` says what it has reserved, six words for each scope: "name window_ms day month tokens jobs", where
-- the window is 0 if the job counts in none, and jobs is 1 if it counts among the scope's unfinished and queued jobs.

local COUNTERS = { 'window_ms', 'requests', 'requests_before', 'tokens', 'tokens_before', 'day', 'day_requests', 'day_tokens',
  'month', 'month_requests', 'month_tokens', 'unfinished', 'queued', 'ended_ms', 'pace_ms' }
local MINUTE_MS, DAY_MS = 60000, 86400000

local function scope_key(name) return P .. 'limits:' .. name end

-- The scope's counters by name, as they are kept; nil where nothing is.
local function read_scope(name)
  local kept = redis.call('HMGET', scope_key(name), unpack(COUNTERS))
  if not kept[1] then return nil end
  local scope = { name = name }
  for i, counter in ipairs(COUNTERS) do scope[counter] = tonumber(kept[i]) or 0 end
  return scope
end

local function write_scope_of(scope)
  local words = {}
  for i, counter in ipairs(COUNTERS) do
    words[2 * i - 1] = counter
    words[2 * i] = string.format('%d', math.max(scope[counter], 0))
  end
  redis.call('HSET', scope_key(scope.name), unpack(words))
end

-- How long it takes until the next job of the scope ends, as those before it did: from the last end, or from when the job
-- was accepted if nothing was under way.
local function note_end(scope, created)
  local gap = now - math.max(scope.ended_ms, created)
  scope.pace_ms = scope.ended_ms == 0 and gap or scope.pace_ms + (gap - scope.pace_ms) / 4
  scope.ended_ms = now
end

-- Counts in the windows in which a job was reserved; those that have passed are nobody's concern any more.
local function correct(scope, window, day, month, tokens, requests)
  if window == scope.window_ms then
    scope.tokens = scope.tokens + tokens
  elseif window ~= 0 and window == scope.window_ms - MINUTE_MS then
    scope.tokens_before = scope.tokens_before + tokens
  end
  if day == scope.day then
    scope.day_tokens, scope.day_requests = scope.day_tokens + tokens, scope.day_requests + requests
  end
  if month == scope.month then
    scope.month_tokens, scope.month_requests = scope.month_tokens + tokens, scope.month_requests + requests
  end
end

-- Calls visit(scope, window, day, month, tokens, jobs) for each scope in which the job has reserved something.
local function each_reserved(reserved, visit)
  for name, window, day, month, tokens, jobs in string.gmatch(reserved, '(%S+) (%d+) (%d+) (%d+) (%d+) (%d)') do
    local scope = read_scope(name)
    if scope then
      visit(scope, tonumber(window), tonumber(day), tonumber(month), tonumber(tokens), jobs == '1')
      write_scope_of(scope)
    end
  end
end

-- A job's end: what it has not used of its estimate is given back, and its request to the day and the month unless it was
-- served. The request stays in its minute: that limit is of how often one asks. `used`: tokens, nil where nobody knows.
settle_limits = function(reserved, served, used, was_queued, created)
  each_reserved(reserved, function(scope, window, day, month, tokens, jobs)
    correct(scope, window, day, month, (used or tokens) - tokens, served and 0 or -1)
    if jobs then
      scope.unfinished = scope.unfinished - 1
      if was_queued then scope.queued = scope.queued - 1 end
      note_end(scope, created)
    end
  end)
end

-- What a run has used whose job was ended before: nothing of it is reserved any more.
local function charge_limits(reserved, used)
  each_reserved(reserved, function(scope, window, day, month)
    correct(scope, window, day, month, used, 0)
  end)
end
