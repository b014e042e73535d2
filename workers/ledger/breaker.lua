-- Circuit breakers, one per deployment ("provider/model") and one per account ("provider"); rendered after shared.lua
-- in front of the scripts that need them. A hash field holds one breaker (read by routing/breaker.py):
-- "state changed_ms until_ms trips opened probes ring".
--   trips: openings since it was last closed, which lengthen the wait; opened: openings ever.
--   probes: "id:epoch,..." the runs let through half open whose outcome is not known, or "-".
--   ring: "start_ms:calls:failures:slow,..." buckets of the window, newest first, or "-".

local BREAKERS = P .. 'breakers'
local RING_BUCKETS = 10

-- What changed in this step, for the worker's log: name, from, to, ...
local changes = {}

-- The words of breakers.py's `words`, in its order; times in ms.
local function breaker_settings(words)
  local n = {}
  for word in string.gmatch(words, '%S+') do n[#n + 1] = tonumber(word) end
  return { slow_ms = n[1], window_ms = n[2], failure_rate = n[3], slow_rate = n[4], minimum = n[5], wait_ms = n[6],
    multiplier = n[7], max_wait_ms = n[8], permitted = n[9], consecutive = n[10] }
end

-- A breaker nobody wrote of, or whose text cannot be read, is closed and knows nothing.
local function parse_breaker(stored)
  local state, changed, till, trips, opened, probes, ring =
    string.match(stored or '', '^([a-z_]+) (%d+) (%d+) (%d+) (%d+) (%S+) (%S+)$')
  if not state then
    return { state = 'closed', changed = now, till = 0, trips = 0, opened = 0, probes = '-', ring = '-' }
  end
  return { state = state, changed = tonumber(changed), till = tonumber(till), trips = tonumber(trips),
    opened = tonumber(opened), probes = probes, ring = ring }
end

local function write_breaker(name, b)
  redis.call('HSET', BREAKERS, name, string.format('%s %d %d %d %d %s %s', b.state, b.changed, b.till, b.trips,
    b.opened, b.probes, b.ring))
end

-- The wait that an opening now would bring.
local function next_wait(b, settings)
  return math.min(settings.wait_ms * settings.multiplier ^ b.trips, settings.max_wait_ms)
end

local function change_breaker(name, b, to, settings)
  changes[#changes + 1], changes[#changes + 2], changes[#changes + 3] = name, b.state, to
  b.state, b.changed, b.till, b.probes = to, now, 0, '-'
  if to == 'open' then
    -- The ring stays: it says why.
    b.till = now + next_wait(b, settings)
    b.trips, b.opened = b.trips + 1, b.opened + 1
  else
    b.ring = '-'
    if to ~= 'half_open' then b.trips = 0 end
  end
end

local function sums(ring, since)
  local calls, failures, slow = 0, 0, 0
  for start, c, f, s in string.gmatch(ring, '(%d+):(%d+):(%d+):(%d+)') do
    if tonumber(start) > since then calls, failures, slow = calls + c, failures + f, slow + s end
  end
  return calls, failures, slow
end

-- The ring with one call more; older buckets are looked at only when a new one begins.
local function counted(ring, start, since, failed, slow)
  local newest, calls, failures, slows, rest = string.match(ring, '^(%d+):(%d+):(%d+):(%d+)(.*)$')
  if not newest then
    newest, calls, failures, slows, rest = start, 0, 0, 0, ''
  elseif tonumber(newest) < start then
    rest = ''
    for bucket, counts in string.gmatch(ring, '(%d+):([%d:]+)') do
      if tonumber(bucket) > since then rest = rest .. ',' .. bucket .. ':' .. counts end
    end
    newest, calls, failures, slows = start, 0, 0, 0
  end
  return string.format('%d:%d:%d:%d%s', newest, calls + 1, failures + failed, slows + slow, rest)
end

local function slice_start(window_ms)
  return now - now % math.max(math.floor(window_ms / RING_BUCKETS), 1)
end

-- A good call in the newest slice of a closed breaker, as nearly every call is: nothing else of it need be read.
local function counted_good(stored, start)
  local head, newest, calls, tail = string.match(stored or '', '^(closed %d+ %d+ %d+ %d+ %S+ )(%d+):(%d+)(.*)$')
  if head and tonumber(newest) >= start then return head .. newest .. ':' .. (calls + 1) .. tail end
end

-- `streak`: the failures in a row, this call's included; 0 where that is not for this breaker to count.
local function record_closed(name, b, failed, slow, streak, settings)
  local since = now - settings.window_ms
  b.ring = counted(b.ring, slice_start(settings.window_ms), since, failed, slow)
  -- A good call never opens it.
  if failed + slow == 0 then return end
  if failed == 1 and streak >= settings.consecutive then return change_breaker(name, b, 'open', settings) end
  local calls, failures, slows = sums(b.ring, since)
  if calls < settings.minimum then return end
  if failures * 100 >= settings.failure_rate * calls or slows * 100 >= settings.slow_rate * calls then
    change_breaker(name, b, 'open', settings)
  end
end

-- Only probes count. It is decided as soon as the probes that are left cannot change the outcome.
local function record_probe(name, b, run, failed, slow, settings)
  local left, found = {}, false
  for probe in string.gmatch(b.probes, '[^,]+') do
    if probe == run then found = true else left[#left + 1] = probe end
  end
  if not found then return false end
  b.probes = #left == 0 and '-' or table.concat(left, ',')
  b.ring = counted(b.ring, b.changed, 0, failed, slow)
  local calls, failures, slows = sums(b.ring, 0)
  local all = settings.permitted
  if failures * 100 >= settings.failure_rate * all or slows * 100 >= settings.slow_rate * all then
    change_breaker(name, b, 'open', settings)
  elseif calls >= all or ((all - calls + failures) * 100 < settings.failure_rate * all
    and (all - calls + slows) * 100 < settings.slow_rate * all) then
    change_breaker(name, b, 'closed', settings)
  end
  return true
end

-- An open or forced breaker learns nothing: these calls began before, or past it.
local function learn(name, stored, run, failed, slow, streak, settings)
  if not stored and string.find(name, '/', 1, true) and redis.call('HLEN', BREAKERS) >= MAX_DEPLOYMENTS then return end
  local b = parse_breaker(stored)
  if b.state == 'closed' then
    record_closed(name, b, failed, slow, streak, settings)
    write_breaker(name, b)
  elseif b.state == 'half_open' and record_probe(name, b, run, failed, slow, settings) then
    write_breaker(name, b)
  end
end

-- One call's outcome, for the breakers of its deployment and its account. `streak`: the deployment's failures in a row.
local function record_call(deployment, run, failed, duration_ms, streak, words)
  local account = account_of(deployment)
  local stored = redis.call('HMGET', BREAKERS, deployment, account)
  local slow_ms, window_ms = string.match(words, '^(%S+) (%S+)')
  local slow = duration_ms >= tonumber(slow_ms) and 1 or 0
  if failed + slow == 0 then
    local start = slice_start(tonumber(window_ms))
    local own, whole = counted_good(stored[1], start), counted_good(stored[2], start)
    if own and whole then
      redis.call('HSET', BREAKERS, deployment, own, account, whole)
      return
    end
  end
  local settings = breaker_settings(words)
  learn(deployment, stored[1], run, failed, slow, streak, settings)
  learn(account, stored[2], run, failed, slow, 0, settings)
end

-- A probe's place is its run's: it is free again when that run no longer holds the job, however that came.
local function drop_lost_probes(b)
  local live = {}
  for probe in string.gmatch(b.probes, '[^,]+') do
    local id, epoch = string.match(probe, '^(.*):(%d+)$')
    if id and holds(id, epoch) then live[#live + 1] = probe end
  end
  b.probes = #live == 0 and '-' or table.concat(live, ',')
  return #live
end

-- How long until a call may go through, in ms: 0 now, -1 nobody knows.
local function breaker_wait(b, settings)
  if b.state == 'open' then return math.max(b.till - now, 0) end
  if b.state == 'forced_open' then return -1 end
  if b.state ~= 'half_open' then return 0 end
  local live = drop_lost_probes(b)
  -- With none under way there is a place: a reload may have cut the permits below the outcomes there are.
  if live > 0 and live + sums(b.ring, 0) >= settings.permitted then return -1 end
  return 0
end

local function is_shut(stored) return stored and string.sub(stored, 1, 6) ~= 'closed' end

-- The wait for a deployment, by its own breaker and its account's. Takes nothing.
local function deployment_wait(deployment, settings)
  local longest = 0
  for _, name in ipairs({ deployment, account_of(deployment) }) do
    local wait = breaker_wait(parse_breaker(redis.call('HGET', BREAKERS, name)), settings)
    if wait < 0 then return wait end
    longest = math.max(longest, wait)
  end
  return longest
end

-- Lets `run` through to `deployment`, which must have no wait. Returns 1 where it goes as a probe, else 0.
local function pass(deployment, run)
  local is_probe = 0
  for _, name in ipairs({ deployment, account_of(deployment) }) do
    local b = parse_breaker(redis.call('HGET', BREAKERS, name))
    if b.state == 'open' then change_breaker(name, b, 'half_open') end
    if b.state == 'half_open' then
      drop_lost_probes(b)
      b.probes = b.probes == '-' and run or (b.probes .. ',' .. run)
      write_breaker(name, b)
      is_probe = 1
    end
  end
  return is_probe
end

-- What a check of an account says to its breaker, and to those of its deployments that are open as well: a good one ends
-- their waits, as real calls then decide; a failed one makes them last until `next_ms`, the next check, at most the wait
-- that one more opening would bring. While the account's own breaker is not open it says nothing new to any of them.
local function apply_check(account, good, next_ms, settings)
  if parse_breaker(redis.call('HGET', BREAKERS, account)).state ~= 'open' then return end
  local flat = redis.call('HGETALL', BREAKERS)
  for i = 1, #flat, 2 do
    local b = account_of(flat[i]) == account and parse_breaker(flat[i + 1])
    if b and b.state == 'open' then
      if good then
        b.till = math.min(b.till, now)
      else
        b.till = math.max(b.till, now + math.min(next_ms, next_wait(b, settings)))
      end
      write_breaker(flat[i], b)
    end
  end
end
