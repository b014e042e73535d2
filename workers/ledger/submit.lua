#!lua
-- Accepts a job: its record, its places in the schedule and its tenant's list, its Idempotency-Key and its pointer, all or
-- nothing. The job that it is a replay of is told.
-- Without allow-oom: a full Redis refuses here, before anything is promised.
-- ARGV: id, idempotency ('' for none), fingerprint, queue, priority, deadline in ms from now, the tenant, its and the key's
-- limits ('' for none; reserve.lua), the tokens and micro-dollars it is taken to use, then field, value, ...
-- Returns {'accepted', id, created_ms, requests, tokens}, {'conflict', id}, {'existing', id, status, http_status, answer} or
-- {'refused', id, requests, tokens, name of the limit, limit, used, wait_ms, scope, held}; requests and tokens say how those
-- limits stand.
local id, idempotency, fingerprint, queue, priority, deadline_ms, tenant, limits, tokens, microusd = unpack(ARGV, 1, 10)
local key = job_key(id)

local already = redis.call('HGET', key, 'created')
-- The same submit again, after a connection that broke before its answer came.
if already then return { 'accepted', id, already, unpack(standing_of(open_scopes(limits))) } end

local claim = P .. 'idempotency:' .. idempotency
if idempotency ~= '' then
  local holder = redis.call('GET', claim)
  if holder then
    local first = redis.call('HMGET', job_key(holder), 'fingerprint', 'status', 'http_status', 'answer')
    if first[1] then
      if first[1] ~= fingerprint then return { 'conflict', holder } end
      return { 'existing', holder, first[2], first[3] or '', first[4] or '' }
    end
  end
end

local requests_left, tokens_left = '', ''
if limits ~= '' then
  local demand = { requests = 1, tokens = tonumber(tokens), microusd = tonumber(microusd) }
  local standing, obstacle = reserve_limits(id, tenant, limits, demand)
  requests_left, tokens_left = unpack(standing)
  if obstacle then return { 'refused', id, requests_left, tokens_left, unpack(obstacle) } end
end

if idempotency ~= '' then
  redis.call('SET', claim, id)
  redis.call('HSET', key, 'idempotency', idempotency, 'fingerprint', fingerprint)
end
redis.call('HSET', key, 'status', 'queued', 'epoch', '1', 'queue', queue, 'priority', priority, 'created', now,
  'queued', now, 'deadline', now + deadline_ms, 'queue_ms', '0', 'candidate', '0', 'tenant', tenant,
  unpack(ARGV, 11))
redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, now + deadline_ms), id)
publish(id, 1, queue, priority)
list_job(jobs_of(tenant), id, clock[1] * 1000000 + clock[2])
local replayed = redis.call('HGET', key, 'replay_of')
if replayed and redis.call('EXISTS', job_key(replayed)) == 1 then
  redis.call('HSET', job_key(replayed), 'replayed_as', id)
end
return { 'accepted', id, tostring(now), requests_left, tokens_left }
