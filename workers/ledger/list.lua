#!lua flags=no-writes
-- Reads a part of a tenant's list of jobs, from one place on until enough were found or enough were looked at.
-- ARGV: 'jobs' or 'failures', tenant, order ('asc' or 'desc'), the id to begin after ('' for none), accepted at or after and
-- before (µs), how many to find, how many to look at, statuses (' failed expired ', '' for any), model, provider ('' for
-- any) and its queue. Returns false where there is nothing known of the id to begin after, else {1 at the list's end or 0, the id last
-- looked at, {id, fields in the order of listing.py's FIELDS}, ...}. A completed job's answer is left out.
local kind, tenant, order, after, from, before, enough, most, statuses, model, provider, queue = unpack(ARGV)
local list = kind == 'failures' and failures_of(tenant) or jobs_of(tenant)
local down = order == 'desc'

-- How many entries stand up to and with `id`, in the order of the list; nil where nobody knows.
local function standing_to(id)
  local rank = redis.call(down and 'ZREVRANK' or 'ZRANK', list, id)
  if rank then return rank + 1 end
  -- It has left this list; the other one, or its record, may still say where it stood.
  local at = redis.call('ZSCORE', jobs_of(tenant), id)
  if not at then
    local job = redis.call('HMGET', job_key(id), 'tenant', 'created')
    if job[1] ~= tenant then return nil end
    at = string.format('%.0f', tonumber(job[2]) * 1000)
  end
  if down then return redis.call('ZCOUNT', list, at, '+inf') end
  return redis.call('ZCOUNT', list, '-inf', at)
end

-- Whether a provider was called for a job, or has it on its queue.
local function concerns(job)
  if job[3] == queue then return true end
  for _, attempt in ipairs(cjson.decode('[' .. (job[4] or '') .. ']')) do
    if attempt.provider == provider then return true end
  end
  return false
end

local function matches(job)
  -- Its record has expired.
  if not job[1] then return false end
  if statuses ~= '' and not string.find(statuses, ' ' .. job[1] .. ' ', 1, true) then return false end
  if model ~= '' and job[2] ~= model then return false end
  return provider == '' or concerns(job)
end

local first, last
if down then
  first, last = redis.call('ZCOUNT', list, before, '+inf'), redis.call('ZCOUNT', list, from, '+inf')
else
  first, last = redis.call('ZCOUNT', list, '-inf', '(' .. from), redis.call('ZCOUNT', list, '-inf', '(' .. before)
end
if after ~= '' then
  local passed = standing_to(after)
  if not passed then return false end
  first = math.max(first, passed)
end
local stop = math.min(first + tonumber(most), last)
local found = { first >= last and 1 or 0, after }
if first >= stop then return found end
local ids = down and redis.call('ZRANGE', list, first, stop - 1, 'REV') or redis.call('ZRANGE', list, first, stop - 1)
for place, id in ipairs(ids) do
  found[1], found[2] = first + place >= last and 1 or 0, id
  local job = redis.call('HMGET', job_key(id), 'status', 'model', 'queue', 'attempts')
  if matches(job) then
    local rest = redis.call('HMGET', job_key(id), 'created', 'deadline', 'started', 'ended', 'http_status', 'replay_of',
      'replayed_as')
    local answer = job[1] ~= 'completed' and redis.call('HGET', job_key(id), 'answer')
    found[#found + 1] = { id, job[1], job[2], job[3], job[4], rest[1], rest[2], rest[3], rest[4], rest[5], rest[6], rest[7],
      answer }
    if #found - 2 == tonumber(enough) then break end
  end
end
return found
