#!lua flags=no-writes
-- Lists deliveries of a tenant, the newest first. ARGV: tenant, the one to begin after ('' for the newest), how many, how many to
-- look at, from and to in ms, status, event, endpoint ('' for any).
-- Returns false (there is no such delivery to begin after) or {1 when there may be more, the last one looked at, id, fields, ...}.
local tenant, after, most, look, from, to = unpack(ARGV, 1, 6)
local names, wanted = { 'status', 'event', 'endpoint' }, { ARGV[7], ARGV[8], ARGV[9] }
local ALL = P .. 'deliveries:' .. tenant
most, look, to = tonumber(most), tonumber(look), tonumber(to)
local start = 0
if after ~= '' then
  local place = redis.call('ZREVRANK', ALL, after)
  if not place then return false end
  start = place + 1
end

local function fits(id)
  local kept = redis.call('HMGET', delivery_key(id), unpack(names))
  if not kept[1] then return false end
  for place = 1, 3 do
    if wanted[place] ~= '' and wanted[place] ~= kept[place] then return false end
  end
  return true
end

-- What is younger than the range is passed over without being looked at.
start = math.max(start, redis.call('ZCOUNT', ALL, '(' .. string.format('%.0f', to), '+inf'))
local answer, found, last = { 0, after }, 0, after
for _, id in ipairs(redis.call('ZREVRANGE', ALL, start, start + look - 1)) do
  if tonumber(redis.call('ZSCORE', ALL, id)) < tonumber(from) then return answer end
  local fitting = fits(id)
  if fitting and found == most then
    answer[1] = 1
    return answer
  end
  answer[2] = id
  if fitting then
    found = found + 1
    answer[#answer + 1] = id
    answer[#answer + 1] = redis.call('HGETALL', delivery_key(id))
  end
end
if start + look < redis.call('ZCARD', ALL) then answer[1] = 1 end
return answer
