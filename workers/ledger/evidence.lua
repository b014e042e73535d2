-- What attempts say of deployments; rendered after shared.lua and breaker.lua in front of finish and requeue.

local HEALTH = P .. 'health'
local HEALTH_HALF_LIFE_MS = 300000

-- One attempt's evidence for its deployment, as decayed sums: "calls successes latency_ms_sum latency_calls
-- consecutive_failures last_ms" (read by routing/health.py).
local function record_health(deployment, succeeded, duration_ms)
  local calls, successes, latency, latency_calls, failures, last = 0, 0, 0, 0, 0, now
  local stored = redis.call('HGET', HEALTH, deployment)
  if stored then
    local n = {}
    for word in string.gmatch(stored, '%S+') do n[#n + 1] = tonumber(word) end
    if #n == 6 then calls, successes, latency, latency_calls, failures, last = unpack(n) end
  elseif redis.call('HLEN', HEALTH) >= MAX_DEPLOYMENTS then
    return
  end
  local kept = 0.5 ^ (math.max(now - last, 0) / HEALTH_HALF_LIFE_MS)
  calls, successes, latency, latency_calls = calls * kept + 1, successes * kept, latency * kept, latency_calls * kept
  if succeeded then
    successes, failures = successes + 1, 0
    latency, latency_calls = latency + duration_ms, latency_calls + 1
  else
    failures = failures + 1
  end
  redis.call('HSET', HEALTH, deployment,
    string.format('%.6g %.6g %.6g %.6g %d %d', calls, successes, latency, latency_calls, failures, now))
end

-- `evidence` is a flat list of words: deployment, outcome, duration in ms; deployments hold no blanks. The outcome is
-- 1 (good), 0 (failed) or 2 (failed, and nothing to a breaker).
-- `run` is "id:epoch", by which a breaker knows its probes.
local function record_evidence(evidence, run, settings)
  for deployment, outcome, duration in string.gmatch(evidence, '(%S+) (%d) (%S+)') do
    duration = tonumber(duration)
    record_health(deployment, outcome == '1', duration)
    if outcome ~= '2' then
      record_call(deployment, run, outcome == '1' and 0 or 1, duration, settings)
    end
  end
end
