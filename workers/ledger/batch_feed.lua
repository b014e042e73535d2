#!lua
-- Accepts the next lines of a batch as jobs and moves its place in the input past them, all or nothing: a line is neither
-- lost nor accepted twice, whenever the worker dies. Without allow-oom: a full Redis refuses here.
-- Their money is reserved in the same step: where a budget has no room for a line, it and those after it stay where they are.
-- ARGV: id, epoch, lease in ms, the budgets ('' for none; reserve.lua), the line number and byte offset it stands at; then of each
-- line: the number and offset after it, the micro-dollars it is taken to cost, job id, custom_id, queue, priority, provider,
-- place, how many words follow, field, value, ...
-- A line with the queue '' has failed already: its http_status stands for the priority, its answer for the provider.
-- Returns false when the run lost the batch or it is being cancelled, else {how many lines were accepted, the ms until the budget
-- that has no more room begins anew (0 where there is room; -1: never)}.
local HEAD, WORDS = 6, 10
local id, epoch, lease_ms, budgets, cursor, offset = unpack(ARGV, 1, HEAD)
if not holds_batch(id, epoch, lease_ms) then return false end
local key = batch_key(id)
local batch = redis.call('HMGET', key, 'cursor', 'offset', 'tenant', 'deadline', 'status', 'key')

-- How many of the lines end where the batch stands: they were accepted by the same step, sent again after a connection that
-- broke before its answer came.
local function accepted_before()
  local i, count = HEAD + 1, 0
  while i <= #ARGV do
    count = count + 1
    if ARGV[i] == batch[1] and ARGV[i + 1] == batch[2] then return count end
    i = i + WORDS + tonumber(ARGV[i + WORDS - 1])
  end
end

if batch[1] ~= cursor or batch[2] ~= offset then
  local count = accepted_before()
  return count and { count, 0 } or false
end
if batch[5] ~= 'in_progress' then return false end

local deadline, scopes, count, wait_ms, i = tonumber(batch[4]), open_scopes(budgets), 0, 0, HEAD + 1
while i <= #ARGV do
  local next_cursor, next_offset, microusd, line, custom_id, queue, priority, provider, place, words =
    unpack(ARGV, i, i + WORDS - 1)
  local job, first, last = job_key(line), i + WORDS, i + WORDS + words - 1
  local demand = { requests = 0, tokens = 0, microusd = tonumber(microusd) }
  local obstacle = queue ~= '' and first_obstacle(scopes, demand, batch[3])
  if obstacle then
    wait_ms = obstacle[4]
    break
  end
  redis.call('HSET', job, 'batch', id, 'custom_id', custom_id, 'tenant', batch[3], 'created', now, 'queued', now,
    'deadline', batch[4], 'queue_ms', '0', 'candidate', place, 'epoch', '1', 'status', 'queued', unpack(ARGV, first, last))
  if queue == '' then
    redis.call('HSET', job, 'queue', '', 'priority', '9')
    if batch[6] then redis.call('HSET', job, 'key', batch[6]) end
    end_job(line, 'failed', priority, provider)
  else
    local flight = batch[3] .. ' ' .. provider
    redis.call('HSET', job, 'queue', queue, 'priority', priority, 'flight', flight)
    if #scopes > 0 then reserve_for(line, scopes, demand) end
    redis.call('HINCRBY', P .. 'batch_flight', flight, 1)
    redis.call('SADD', P .. 'batch_lines:' .. id, line)
    redis.call('ZADD', SCHEDULE, math.min(now + REQUEUE_CHECK_MS, deadline), line)
    publish(line, 1, queue, priority)
  end
  cursor, offset, count, i = next_cursor, next_offset, count + 1, last + 1
end
if count > 0 then
  redis.call('HSET', key, 'cursor', cursor, 'offset', offset)
  for _, scope in ipairs(scopes) do keep_scope(scope) end
end
return { count, wait_ms }
