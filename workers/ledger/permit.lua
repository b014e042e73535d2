-- Permits: how much each provider lets us send. Rendered after shared.lua and breaker.lua where they are needed.
-- A hash field holds one scope, an account (limits as configured) or a deployment (limits as learnt from its answers):
-- "gate_ms told_ms name limit period_ms level at_ms name ..." (read by routing/permits.py). Nothing goes before the gate;
-- each bucket holds up to its limit, refills evenly over its period and stood at `level` at `at_ms`. Answers told of them at
-- told_ms; what none has told of for an hour is no longer believed.
-- Jobs without a permit are parked with their deployment, in the order in which they will be let through: a sorted set of
-- "id:epoch", by priority and then by age.

local PERMITS = P .. 'permits'
local PARKED = P .. 'parked'
-- A little less than the provider lets through: calls overtake each other on their way, and its clock is not ours.
local BURST, PACE = 0.98, 0.99
-- A parked job is let through by release.lua. Should nobody run that, the rescue looks at the job after this long.
local PARKED_CHECK_MS = 30000
local BELIEVED_MS = 3600000

-- What a job's calls to a deployment are counted for: the deployment, or with the tenant's own key "tenant@deployment", of
-- the account "tenant@provider". `own` is the job's field, " provider:version ... ".
local function scope_of(deployment, own, tenant)
  if own and string.find(own, ' ' .. account_of(deployment) .. ':', 1, true) then return tenant .. '@' .. deployment end
  return deployment
end

local function bucket_size(bucket) return math.max(bucket.limit * BURST, 1) end

local function refill(bucket)
  local gained = math.max(now - bucket.at, 0) * bucket.limit * PACE / bucket.period
  bucket.level = math.min(bucket_size(bucket), bucket.level + gained)
  bucket.at = now
end

local function parse_scope(name, stored)
  local scope = { name = name, gate = 0, told = now, buckets = {} }
  local words = {}
  for word in string.gmatch(stored or '', '%S+') do words[#words + 1] = word end
  -- What cannot be read is unknown.
  if #words % 5 ~= 2 then return scope end
  scope.gate, scope.told = tonumber(words[1]) or 0, tonumber(words[2]) or 0
  for i = 3, #words, 5 do
    local bucket = { name = words[i], limit = tonumber(words[i + 1]), period = tonumber(words[i + 2]),
      level = tonumber(words[i + 3]), at = tonumber(words[i + 4]) }
    if bucket.limit and bucket.period and bucket.level and bucket.at then
      scope.buckets[#scope.buckets + 1] = bucket
    end
  end
  return scope
end

local function write_scope(scope)
  if #scope.buckets == 0 and scope.gate <= now then
    redis.call('HDEL', PERMITS, scope.name)
    return
  end
  local words = { string.format('%d %d', scope.gate, scope.told) }
  for _, b in ipairs(scope.buckets) do
    words[#words + 1] = string.format('%s %.12g %.12g %.9g %d', b.name, b.limit, b.period, b.level, b.at)
  end
  redis.call('HSET', PERMITS, scope.name, table.concat(words, ' '))
end

local function bucket_of(scope, name)
  for _, bucket in ipairs(scope.buckets) do
    if bucket.name == name then return bucket end
  end
end

-- Gives the scope's bucket `name` this limit. A new one is full; one that grows or shrinks keeps what was taken from it.
local function set_limit(scope, name, limit, period)
  local bucket = bucket_of(scope, name)
  if not bucket then
    bucket = { name = name, limit = limit, period = period, at = now }
    bucket.level = bucket_size(bucket)
    scope.buckets[#scope.buckets + 1] = bucket
    return bucket
  end
  refill(bucket)
  if bucket.limit ~= limit then
    local before = bucket_size(bucket)
    bucket.limit = limit
    bucket.level = bucket.level + bucket_size(bucket) - before
  end
  bucket.period = period
  return bucket
end

-- What `configured` (";account name limit period_ms ...;...") says of an account; nil where that is nothing.
local function configured_limits(configured, account)
  local _, last = string.find(configured, ';' .. account .. ' ', 1, true)
  return last and string.match(configured, '^[^;]+', last + 1)
end

-- The scopes a call to the deployment needs permits of; nil where no limit is known, as for most.
local function permit_scopes(deployment, configured)
  local account = account_of(deployment)
  local limits = configured_limits(configured, account)
  local stored = redis.call('HMGET', PERMITS, account, deployment)
  if not limits and not stored[2] then return nil end
  local scopes = {}
  if limits then
    local scope = parse_scope(account, stored[1])
    local known = scope.buckets
    scope.buckets = {}
    for name, limit, period in string.gmatch(limits, '(%S+) (%S+) (%S+)') do
      for _, bucket in ipairs(known) do
        if bucket.name == name then scope.buckets[#scope.buckets + 1] = bucket end
      end
      set_limit(scope, name, tonumber(limit), tonumber(period))
    end
    scopes[1] = scope
  end
  if stored[2] then
    local scope = parse_scope(deployment, stored[2])
    if scope.gate <= now and scope.told < now - BELIEVED_MS then scope.buckets = {} end
    scopes[#scopes + 1] = scope
  end
  return scopes
end

-- What one call takes of each kind of bucket; `tokens` is the job's "prompt completion" estimate.
local function demand_of(tokens)
  local prompt, completion = string.match(tokens or '', '^(%d+) (%d+)$')
  prompt, completion = tonumber(prompt) or 0, tonumber(completion) or 0
  return { rpm = 1, rpd = 1, tpm = prompt + completion, itpm = prompt, otpm = completion }
end

-- How long until there is a permit, in ms, for a call that `ahead` others like it go before.
local function scopes_wait(scopes, demand, ahead)
  local wait = 0
  for _, scope in ipairs(scopes) do
    wait = math.max(wait, scope.gate - now)
    for _, bucket in ipairs(scope.buckets) do
      refill(bucket)
      -- More than a full bucket is let through when it is full, and paid off afterwards.
      local each = math.min(demand[bucket.name] or 1, bucket_size(bucket))
      local missing = each * (ahead + 1) - bucket.level
      if missing > 1e-6 then
        wait = math.max(wait, math.ceil(missing * bucket.period / (bucket.limit * PACE)))
      end
    end
  end
  return wait
end

local function parked_key(deployment) return PARKED .. ':' .. deployment end

-- Redis keeps scores as doubles: priority and ms together stay far below 2^53.
local function rank_of(priority, created) return tonumber(priority) * 1e13 + tonumber(created) end

-- How long until the deployment has a permit for a job, in ms, with those parked before it and without; and the scopes.
-- Takes nothing.
local function permit_wait(deployment, demand, rank, configured)
  local scopes = permit_scopes(deployment, configured)
  if not scopes then return 0, 0 end
  local ahead = redis.call('ZCOUNT', parked_key(deployment), '-inf', string.format('(%.17g', rank))
  local alone = scopes_wait(scopes, demand, 0)
  if ahead == 0 then return alone, alone, scopes end
  -- Its turn is not yet come, even where there is room this very moment.
  return math.max(scopes_wait(scopes, demand, ahead), 1), alone, scopes
end

local function take_permits(scopes, demand)
  for _, scope in ipairs(scopes) do
    if #scope.buckets > 0 then
      for _, bucket in ipairs(scope.buckets) do
        bucket.level = bucket.level - (demand[bucket.name] or 1)
      end
      write_scope(scope)
    end
  end
end

-- Gives back what an answer took less of limits by tokens than was estimated, or takes what it took more.
local function settle_tokens(deployment, tokens, prompt, completion)
  local stored = redis.call('HMGET', PERMITS, account_of(deployment), deployment)
  local estimated, took = demand_of(tokens), demand_of(prompt .. ' ' .. completion)
  for i, name in ipairs({ account_of(deployment), deployment }) do
    if stored[i] and string.find(stored[i], 'tpm ', 1, true) then
      local scope = parse_scope(name, stored[i])
      for _, bucket in ipairs(scope.buckets) do
        refill(bucket)
        bucket.level = bucket.level + (estimated[bucket.name] or 0) - (took[bucket.name] or 0)
      end
      write_scope(scope)
    end
  end
end

local function forget_limit(scope, name)
  for i, bucket in ipairs(scope.buckets) do
    if bucket.name == name then return table.remove(scope.buckets, i) end
  end
end

-- What one answer told of a deployment's limits: "deployment gate_ms name limit period_ms remaining name ...". A limit of 0
-- is one that holds nobody up any more.
local function learn_of(words)
  local list = {}
  for word in string.gmatch(words, '%S+') do list[#list + 1] = word end
  local name, gate = list[1], tonumber(list[2])
  local stored = redis.call('HGET', PERMITS, name)
  if not stored and redis.call('HLEN', PERMITS) >= MAX_DEPLOYMENTS then return end
  local scope = parse_scope(name, stored)
  scope.told = now
  if gate > 0 then scope.gate = math.max(scope.gate, now + gate) end
  for i = 3, #list, 4 do
    if list[i + 1] == '0' then
      forget_limit(scope, list[i])
    else
      local bucket = set_limit(scope, list[i], tonumber(list[i + 1]), tonumber(list[i + 2]))
      -- Calls still on their way are taken from ours already and not from theirs. So where theirs is lower, somebody
      -- else uses the key, too. What they tell is rounded down.
      bucket.level = math.min(bucket.level, tonumber(list[i + 3]) + 0.99)
    end
  end
  write_scope(scope)
end

-- One line for each deployment; empty where nothing was learnt.
local function learn_limits(lines)
  for words in string.gmatch(lines, '[^\n]+') do learn_of(words) end
end
