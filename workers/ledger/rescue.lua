#!lua flags=allow-oom
-- Looks at what is due: the only way back for jobs whose message or worker was lost. Any process may run it.
-- ARGV: limit, the expiry error as JSON, that of a job which waited for a permit, the error of a job that loses every worker,
-- the outbox's lease in ms, the error that stands where an answer was not to be stored.
-- Returns a flat list: what was done, id, ... with what = 'expired', 'abandoned', 'lost_worker', 'lost_message',
-- 'deferred', 'webhook' or 'unstored'.
local limit, expiry_error, capacity_error, abandoned_error, outbox_lease_ms, unstored_error = unpack(ARGV)
-- A job that ended this many workers is taken for their cause, before it is paid for yet again.
local MAX_LOSSES = 5
local done = {}
local function note(what, id)
  done[#done + 1] = what
  done[#done + 1] = id
end

-- A queued job has lost its message when a younger one was claimed from its list, or when the list is empty.
local function message_lost(queue, priority, queued)
  if tonumber(redis.call('HGET', WATERMARKS, queue .. ' ' .. priority) or 0) > queued then return true end
  return redis.call('LLEN', list_key(queue, priority)) == 0
end

local function publish_again(id, epoch, queue, priority)
  local key = job_key(id)
  redis.call('HSET', key, 'status', 'queued', 'epoch', epoch + 1, 'queued', now)
  redis.call('HDEL', key, 'deferred')
  publish(id, epoch + 1, queue, priority)
end

local function lost_attempt(candidate, began, more)
  local provider, model = unpack(candidate, 1, 2)
  return '{"provider":' .. cjson.encode(provider) .. ',"model":' .. cjson.encode(model)
    .. ',"status":"lost","started_at":' .. string.format('%.3f', began / 1000) .. ',"duration":' .. (now - began)
    .. ',"error":"the worker running it was lost"' .. more .. '}'
end

local function record_lost_attempt(id, epoch)
  local job = redis.call('HMGET', job_key(id), 'plan', 'candidate', 'claimed', 'hedged')
  local candidates = cjson.decode(job[1]).candidates
  append_attempts(id, lost_attempt(candidates[tonumber(job[2]) + 1], tonumber(job[3]), ''))
  local run, place, began = string.match(job[4] or '', '^(%d+) (%d+) (%d+)$')
  if run == epoch then append_attempts(id, lost_attempt(candidates[place + 1], tonumber(began), ',"hedge":true')) end
end

-- What stands in the place of an answer that was not to be stored: why it is gone, and what it used.
local function without_answer(id)
  local told = failure_answer(id, unstored_error)
  local sound, answer = pcall(cjson.decode, redis.call('HGET', job_key(id), 'answer') or '')
  if not sound or type(answer) ~= 'table' or type(answer.usage) ~= 'table' then return told end
  return '{"usage":' .. cjson.encode(answer.usage) .. ',' .. string.sub(told, 2)
end

for _, id in ipairs(redis.call('ZRANGE', SCHEDULE, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  local job = redis.call('HMGET', job_key(id), 'status', 'epoch', 'queue', 'priority', 'queued', 'deadline', 'deferred',
    'limits')
  local status, epoch, queue, priority, queued = job[1], job[2], job[3], job[4], tonumber(job[5])
  if status ~= 'queued' and status ~= 'in_progress' then
    redis.call('ZREM', SCHEDULE, id)
  elseif tonumber(job[6]) <= now then
    if status == 'in_progress' then record_lost_attempt(id, epoch) end
    local parked = job[7] == 'parked'
    end_job(id, 'expired', parked and '429' or '504', failure_answer(id, parked and capacity_error or expiry_error), UNUSED)
    note('expired', id)
  else
    local deadline = tonumber(job[6])
    if status == 'in_progress' then
      record_lost_attempt(id, epoch)
      if redis.call('HINCRBY', job_key(id), 'losses', 1) >= MAX_LOSSES then
        end_job(id, 'failed', '500', failure_answer(id, abandoned_error), UNUSED)
        note('abandoned', id)
      else
        count_queued(job[8], 1)
        publish_again(id, epoch, queue, priority)
        note('lost_worker', id)
        redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, deadline), id)
      end
    elseif job[7] then
      publish_again(id, epoch, queue, priority)
      note('deferred', id)
      redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, deadline), id)
    else
      local check = next_check(queued)
      if message_lost(queue, priority, queued) then
        publish_again(id, epoch, queue, priority)
        note('lost_message', id)
      end
      redis.call('ZADD', SCHEDULE, math.min(check, deadline), id)
    end
  end
end

for _, id in ipairs(redis.call('ZRANGE', OUTBOX, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  -- The outbox keeps the delivery until it is made; its message may be lost like any other.
  redis.call('ZADD', OUTBOX, now + outbox_lease_ms, id)
  note('webhook', id)
end

-- What was asked and answered goes; what it used, and how it went, stays.
for _, id in ipairs(redis.call('ZRANGE', UNSTORED, '-inf', now, 'BYSCORE', 'LIMIT', 0, limit)) do
  redis.call('ZREM', UNSTORED, id)
  if redis.call('EXISTS', job_key(id)) == 1 then
    redis.call('HSET', job_key(id), 'answer', without_answer(id), 'http_status', '410')
    redis.call('HDEL', job_key(id), 'request', 'echo')
  end
  redis.call('DEL', stream_key(id))
  note('unstored', id)
end
return done
