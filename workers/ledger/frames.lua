-- What goes out of an answer while it comes in. Rendered after shared.lua.

-- An API process that takes nothing more from its reply list for so many messages is gone, or far behind: it finds
-- what it missed in the ledger.
local MOST_REPLIES = 20000
-- What is to be sent, by address: one push for each, however many streams it follows.
local to_send = {}

-- Appends ARGV[first..last] as the frames from number `start` on, to be sent to whoever waits. What is there already
-- was sent before its answer got lost, and is left alone. Returns how many frames the stream has now.
local function append_frames(id, start, first, last, waiters)
  local stream = stream_key(id)
  local count = redis.call('LLEN', stream)
  first = first + math.max(count - start, 0)
  if start > count or first > last then return count end
  redis.call('RPUSH', stream, unpack(ARGV, first, last))
  local message
  for address in string.gmatch(waiters or '', '%S+') do
    message = message or (id .. ' frames ' .. count .. '\n' .. table.concat(ARGV, '\n', first, last))
    local messages = to_send[address] or {}
    messages[#messages + 1] = message
    to_send[address] = messages
  end
  return count + last - first + 1
end

local function send_frames()
  for address, messages in pairs(to_send) do
    local list = P .. 'replies:' .. address
    if redis.call('RPUSH', list, unpack(messages)) > MOST_REPLIES then redis.call('RPOP', list, #messages) end
    redis.call('EXPIRE', list, REPLIES_TTL_S)
  end
end
