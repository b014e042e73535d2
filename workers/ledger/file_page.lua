#!lua flags=no-writes
-- Looks through a tenant's files in the order of their creation. ARGV: tenant, the id after which to begin ('' for the
-- start), how many to look at, 'asc' or 'desc'. Returns {1 when there are no more, the last id looked at, file, file, ...};
-- false where there never was that id. One that was removed a while ago still marks its place.
local tenant, after, most, order = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4]
local up = order == 'asc'
local from = up and '-inf' or '+inf'
if after ~= '' then
  local place = redis.call('HMGET', file_key(after), 'tenant', 'created')
  if place[1] ~= tenant or not place[2] then return false end
  from = place[2]
end

-- Those of one millisecond are ordered by their ids.
local function is_past(id, created)
  if after == '' or tonumber(created) ~= tonumber(from) then return true end
  if up then return id > after end
  return id < after
end

local found, seen, offset, last, done = {}, 0, 0, after, 1
while true do
  local page
  if up then
    page = redis.call('ZRANGE', files_key(tenant), from, '+inf', 'BYSCORE', 'LIMIT', offset, most, 'WITHSCORES')
  else
    page = redis.call('ZRANGE', files_key(tenant), from, '-inf', 'BYSCORE', 'REV', 'LIMIT', offset, most, 'WITHSCORES')
  end
  for place = 1, #page, 2 do
    if is_past(page[place], page[place + 1]) then
      if seen == most then
        done = 0
        break
      end
      seen, last = seen + 1, page[place]
      found[#found + 1] = visible(page[place], tenant)
    end
  end
  if done == 0 or #page < 2 * most then break end
  offset = offset + most
end
return { done, last, unpack(found) }
