-- What attempts say of deployments; rendered after shared.lua and breaker.lua in front of finish and requeue.

local HEALTH = P .. 'health'
local HEALTH_HALF_LIFE_MS = 300000
local MOST_HEALTH_CALLS = 100
local OUTAGE = 5

-- Speed forgets faster, and never remembers more than so many calls; an answer is never longer, nor a call.
local SPEED_HALF_LIFE_MS = 15000
local MOST_CALLS = 30
local MOST_TOKENS = 1e7
local LONGEST_MS = 1e9
local USUAL_TOKENS = 256
local SURPRISE, BELIEVED = 3, 0.25

-- A record as numbers: 1 calls, 2 successes, 3 consecutive failures, 4..9 the speed's sums n x xx y yy xy (x: completion
-- tokens, y: ms, of good calls), 10 when they were added to last, 11 when any attempt was. Read by routing/health.py.
local function parse_health(stored)
  local n = {}
  for word in string.gmatch(stored or '', '%S+') do n[#n + 1] = tonumber(word) end
  -- Written before speed was a line.
  if #n == 6 then return { n[1], n[2], n[5], 0, 0, 0, 0, 0, 0, 0, n[6] } end
  if #n ~= 11 then return { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, now } end
  return n
end

local function write_health(deployment, n)
  redis.call('HSET', HEALTH, deployment,
    string.format('%.9g %.9g %d %.12g %.12g %.12g %.12g %.12g %.12g %d %d', unpack(n)))
end

-- One point more for the speed's line, as Speed.after does. A stream's first chunk could be another: 0 tokens, its time.
local function add_point(n, tokens, duration_ms)
  local kept = 0.5 ^ (math.max(now - n[10], 0) / SPEED_HALF_LIFE_MS)
  if n[4] >= 1 then
    local flat = n[7] / n[4]
    local steep = n[7] * tokens / n[5]
    if duration_ms > SURPRISE * math.max(flat, steep) or duration_ms * SURPRISE < math.min(flat, steep) then
      kept = kept * BELIEVED
    end
  end
  local point = { 1, tokens, tokens * tokens, duration_ms, duration_ms * duration_ms, tokens * duration_ms }
  local scale = math.min(1, MOST_CALLS / (n[4] * kept + 1))
  for i = 1, 6 do n[3 + i] = (n[3 + i] * kept + point[i]) * scale end
  n[10] = now
end

-- One attempt's evidence for its deployment, as decayed sums: Health.after is the same in Python. Returns its failures in
-- a row.
local function record_health(deployment, succeeded, duration_ms, tokens)
  local stored = redis.call('HGET', HEALTH, deployment)
  if not stored and redis.call('HLEN', HEALTH) >= MAX_DEPLOYMENTS then return 0 end
  local n = parse_health(stored)
  local kept = 0.5 ^ (math.max(now - n[11], 0) / HEALTH_HALF_LIFE_MS)
  local calls, successes = n[1] * kept, n[2] * kept
  if succeeded and n[3] >= OUTAGE then calls = calls - math.min(n[3] - 1, math.max(calls - successes - 1, 0)) end
  calls = calls + 1
  if succeeded then successes = successes + 1 end
  local scale = math.min(1, MOST_HEALTH_CALLS / calls)
  n[1], n[2], n[11] = calls * scale, successes * scale, now
  if succeeded then
    n[3] = 0
    -- An answer of unknown length counts as one of the usual length.
    if tokens <= 0 then tokens = n[4] > 0 and n[5] / n[4] or USUAL_TOKENS end
    add_point(n, math.min(tokens, MOST_TOKENS), math.min(duration_ms, LONGEST_MS))
  else
    n[3] = n[3] + 1
  end
  write_health(deployment, n)
  return n[3]
end

-- A call that was cut short because another answered first took at least so long: where that is longer than its
-- deployment's usual answer, it counts as one of that length, so that one who is always overtaken does not look fast.
-- It says nothing else. Health.after_cut is the same in Python.
local function record_cut(deployment, duration_ms)
  local n = parse_health(redis.call('HGET', HEALTH, deployment))
  if n[4] == 0 or duration_ms * n[4] <= n[7] then return end
  add_point(n, n[5] / n[4], math.min(duration_ms, LONGEST_MS))
  write_health(deployment, n)
end

-- `evidence` is a flat list of words: deployment, outcome, duration in ms, completion tokens (0: not known);
-- deployments hold no blanks. The outcome is 1 (good), 0 (failed), 2 (failed, and nothing to a breaker)
-- or 3 (cut short by us: neither).
-- `run` is "id:epoch", by which a breaker knows its probes.
local function record_evidence(evidence, run, settings)
  for deployment, outcome, duration, tokens in string.gmatch(evidence, '(%S+) (%d) (%S+) (%S+)') do
    duration = tonumber(duration)
    local streak = 0
    if outcome == '3' then
      record_cut(deployment, duration)
    else
      streak = record_health(deployment, outcome == '1', duration, tonumber(tokens))
    end
    if outcome == '0' or outcome == '1' then
      record_call(deployment, run, outcome == '1' and 0 or 1, duration, streak, settings)
    end
  end
end
