-- What every ledger script shares. Rendered in front of each by scripts.py, which fills in the @...@ constants.
-- Keys are built from one prefix on one Redis (not a cluster), so scripts take ids, not keys.

local P = '@PREFIX@'
local LEASE_MS = @LEASE_MS@
local REQUEUE_CHECK_MS = @REQUEUE_CHECK_MS@
local RETENTION_S = @RETENTION_S@
local FAILURES_KEPT = @FAILURES_KEPT@
local UNSTORED_MS = @UNSTORED_MS@
local ENVELOPE = [==[@ENVELOPE@]==]

local SCHEDULE = P .. 'schedule'
local OUTBOX = P .. 'outbox'
-- Ended jobs whose request said `store: false` -> when what was asked and answered leaves their records (rescue.lua).
local UNSTORED = P .. 'unstored'
local WATERMARKS = P .. 'watermarks'
local CHECKS = P .. 'checks'
-- The channel on which workers hear which of their jobs was cancelled (workers/revocations.py).
local REVOKED = P .. 'revoked'
-- How many jobs were ever claimed, by queue: with its depth, how long one waits there (routing/queue_wait.py).
local CLAIMS = P .. 'claims'
-- A reply list nobody reads any more (its API process died) goes away by itself.
local REPLIES_TTL_S = 120
-- Usage is kept a year and a month, so that a month can be compared with the same month a year ago.
local USAGE_TTL_S = 400 * 86400
-- Callers may name deployments no configuration lists; made-up names must not fill the memory.
local MAX_DEPLOYMENTS = 5000
-- A list of jobs that nobody adds to any more outlives every record in it: a deadline is at most a week away.
local LIST_TTL_S = RETENTION_S + 8 * 86400

-- Redis's own clock is the one clock of the ledger: machines need not agree on the time.
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)

local function job_key(id) return P .. 'job:' .. id end
local function stream_key(id) return P .. 'stream:' .. id end

-- kombu's name for the list of one queue and priority step.
local function list_key(queue, priority)
  if priority == '0' then return P .. queue end
  return P .. queue .. '\6\22' .. priority
end

-- Puts the pointer of (job, epoch) on its queue, as Celery itself would.
local function publish(id, epoch, queue, priority)
  local filled = { JOB = id, EPOCH = tostring(epoch), QUEUE = queue, PRIORITY = priority }
  local message = string.gsub(ENVELOPE, '__(%u+)__', filled)
  redis.call('LPUSH', list_key(queue, priority), message)
end

-- A queued job is first suspected after REQUEUE_CHECK_MS, then ever more rarely, at most every minute.
local function next_check(queued_at)
  local age = now - queued_at
  return now + math.max(REQUEUE_CHECK_MS, math.min(age / 2, 60000))
end

local function reply_to(address, id, status, http_status, count, answer)
  local list = P .. 'replies:' .. address
  redis.call('RPUSH', list, id .. ' ' .. status .. ' ' .. http_status .. count .. '\n' .. answer)
  redis.call('EXPIRE', list, REPLIES_TTL_S)
end

-- Has an API process told what becomes of a job.
local function add_waiter(id, address)
  local waiters = redis.call('HGET', job_key(id), 'waiters') or ''
  if string.find(' ' .. waiters .. ' ', ' ' .. address .. ' ', 1, true) then return end
  redis.call('HSET', job_key(id), 'waiters', waiters .. ' ' .. address)
end

local function batch_key(id) return P .. 'batch:' .. id end

-- A line of a batch is over. Its record stays until the batch's worker has stored the answer (batch_stored.lua): no expiry.
local function end_line(id, batch, status)
  redis.call('HINCRBY', batch_key(batch), status == 'completed' and 'completed' or 'failed', 1)
  redis.call('RPUSH', P .. 'batch_ended:' .. batch, id)
  if redis.call('SREM', P .. 'batch_lines:' .. batch, id) == 1 then
    local flight = redis.call('HGET', job_key(id), 'flight')
    if redis.call('HINCRBY', P .. 'batch_flight', flight, -1) <= 0 then redis.call('HDEL', P .. 'batch_flight', flight) end
  end
end

-- The jobs of a tenant, and those of them that failed or expired: sorted sets, id -> when it was accepted, in µs.
local function jobs_of(tenant) return P .. 'jobs:' .. tenant end
local function failures_of(tenant) return P .. 'failures:' .. tenant end

-- Adds a job to a list, and drops some that have no record any more. It looks at four of the old ones, each time
-- elsewhere: so they leave faster than they come, also where others among them live longer.
local function list_job(list, id, at)
  redis.call('ZADD', list, at, id)
  local old = redis.call('ZCOUNT', list, '-inf', (now - RETENTION_S * 1000) * 1000)
  if old > 0 then
    local first = now % old
    for _, other in ipairs(redis.call('ZRANGE', list, first, first + 3)) do
      if redis.call('EXISTS', job_key(other)) == 0 then redis.call('ZREM', list, other) end
    end
  end
  redis.call('EXPIRE', list, LIST_TTL_S)
end

-- Lists a job that failed or expired; beyond FAILURES_KEPT the oldest leave, a few at a time.
local function list_failure(tenant, id)
  local list = failures_of(tenant)
  list_job(list, id, redis.call('ZSCORE', jobs_of(tenant), id) or now * 1000)
  local over = redis.call('ZCARD', list) - FAILURES_KEPT
  if over > 0 then redis.call('ZREMRANGEBYRANK', list, 0, math.min(over, 10) - 1) end
end

-- Settles what a job has reserved of its tenant's limits. Every script that ends jobs has it, from limits.lua.
local settle_limits

-- Adds what a job has used to its tenant's day. Every script that ends jobs has it, from usage.lua.
local add_usage

-- Counts a job that comes to stand in a queue, or leaves it, where a limit asks for that (limits.lua). `reserved` is its field.
local function count_queued(reserved, by)
  for name in string.gmatch(reserved or '', '(%S+) %d+ %d+ %d+ %d %d+ 1 %d+') do
    redis.call('HINCRBY', P .. 'limits:' .. name, 'queued', by)
  end
end

-- Of a job that no run has ended: it has cost nothing that is not counted already.
local UNUSED = { tokens = 0, microusd = 0 }

-- Somebody has, or is being given, the answer of a job that said `store: false`: it goes a while after the last of them.
local function note_delivery(id, unstored, delay_ms)
  if unstored then redis.call('ZADD', UNSTORED, 'GT', now + delay_ms, id) end
end

-- Ends a job: stores its answer, leaves the schedule, tells whoever waits, and puts it in the outbox where somebody may want
-- to know: whom it is told is decided when the outbox is emptied (fan_out.lua).
-- `used`: `tokens` that its last run has used, `microusd` what they cost as budgets count it (nil where nobody knows), and `spent` and
-- `second` as add_usage takes them; nil where no run has ended it.
local function end_job(id, status, http_status, answer, used)
  local key = job_key(id)
  used = used or {}
  local kept = redis.call('HMGET', key, 'waiters', 'idempotency', 'webhook', 'stream', 'tenant', 'batch', 'limits', 'status',
    'created', 'key', 'deployment', 'used', 'unstored')
  if kept[7] then
    settle_limits(kept[7], { tenant = kept[5], served = status == 'completed', used = used.tokens, cost = used.microusd,
      was_queued = kept[8] == 'queued', created = tonumber(kept[9]) })
  end
  redis.call('HSET', key, 'status', status, 'http_status', http_status, 'answer', answer, 'ended', now,
    'used', (kept[12] or '') .. add_usage(kept[5], kept[10], kept[11], status, used.spent, used.second))
  redis.call('HDEL', key, 'waiters')
  if kept[6] then end_line(id, kept[6], status) else redis.call('EXPIRE', key, RETENTION_S) end
  redis.call('ZREM', SCHEDULE, id)
  -- Whoever follows a stream knows by their number whether it has all frames.
  local count = ''
  if kept[4] then
    count = ' ' .. redis.call('LLEN', stream_key(id))
    redis.call('EXPIRE', stream_key(id), RETENTION_S)
  end
  for address in string.gmatch(kept[1] or '', '%S+') do
    reply_to(address, id, status, http_status, count, answer)
  end
  if kept[2] then redis.call('EXPIRE', P .. 'idempotency:' .. kept[2], RETENTION_S) end
  -- A batch tells of itself, not of its lines.
  local told = not kept[6] and (kept[3] or redis.call('EXISTS', P .. 'endpoints:' .. (kept[5] or '')) == 1)
  if told then redis.call('ZADD', OUTBOX, now, id) end
  -- Webhooks are made of the record.
  if kept[1] and not kept[6] then note_delivery(id, kept[13], (told and 10 or 1) * UNSTORED_MS) end
  if status == 'failed' or status == 'expired' then list_failure(kept[5], id) end
  redis.call('HINCRBY', P .. 'metrics:model_router_jobs_total', status .. '\31' .. (kept[5] or ''), 1)
end

-- The answer of a job that no worker ended: the error, and the attempts as recorded.
local function failure_answer(id, error_json)
  local job = redis.call('HMGET', job_key(id), 'tenant', 'primary', 'policy', 'attempts', 'created', 'queue_ms')
  local api_ms = 0
  local attempts = job[4] or ''
  for _, attempt in ipairs(cjson.decode('[' .. attempts .. ']')) do
    -- A second call is made beside another, not after it.
    if not attempt.hedge then api_ms = api_ms + attempt.duration end
  end
  return '{"error":' .. error_json .. ',"routing_metadata":{"job_id":' .. cjson.encode(id)
    .. ',"tenant_id":' .. cjson.encode(job[1] or '') .. ',"primary_provider":' .. cjson.encode(job[2] or '')
    .. ',"policy_used":' .. cjson.encode(job[3] or '') .. ',"attempts":[' .. attempts .. ']'
    .. ',"queue_time":' .. (job[6] or '0') .. ',"total_processing_time":' .. (now - tonumber(job[5] or now))
    .. ',"api_processing_time":' .. api_ms .. ',"timestamp":' .. string.format('%.3f', now / 1000) .. '}}'
end

-- Appends to the attempts, kept as the inside of a JSON array: appending needs no decoding.
local function append_attempts(id, attempts)
  if attempts == '' then return end
  local key = job_key(id)
  local before = redis.call('HGET', key, 'attempts')
  if before and before ~= '' then attempts = before .. ',' .. attempts end
  redis.call('HSET', key, 'attempts', attempts)
end

-- The id of a plan's candidate, "provider/model"; `place` counts from 0.
local function candidate_id(plan, place)
  local candidate = plan.candidates[place + 1]
  return candidate[1] .. '/' .. candidate[2]
end

-- The account of a deployment, and the queue its jobs wait on.
local function account_of(deployment) return string.match(deployment, '^[^/]+') end
local function queue_of(deployment) return '@PROVIDER_QUEUE@' .. account_of(deployment) end

-- Whether (id, epoch) is the run that holds the job now: the fence of every step of a worker.
local function holds(id, epoch)
  local held = redis.call('HMGET', job_key(id), 'status', 'epoch')
  return held[1] == 'in_progress' and held[2] == epoch
end
