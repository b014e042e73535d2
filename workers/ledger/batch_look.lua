#!lua flags=allow-oom
-- How a batch stands, and those of its lines that have ended and were not fetched yet. Extends the lease; takes nothing.
-- ARGV: id, epoch, lease in ms, how many were fetched already, how many may be fetched now, how many bytes of answers.
-- Returns false when the run lost the batch, else {status, lines in flight, now, id, custom_id, status, http_status,
-- answer, ...}.
local id, epoch, lease_ms, fetched, most, most_bytes = unpack(ARGV)
if not holds_batch(id, epoch, lease_ms) then return false end
local reply = { redis.call('HGET', batch_key(id), 'status'), redis.call('SCARD', P .. 'batch_lines:' .. id), now }
local bytes = 0
if tonumber(most) > 0 then
  for _, line in ipairs(redis.call('LRANGE', P .. 'batch_ended:' .. id, fetched, fetched + most - 1)) do
    local ended = redis.call('HMGET', job_key(line), 'custom_id', 'status', 'http_status', 'answer')
    bytes = bytes + #(ended[4] or '')
    -- At least one, however large it is.
    if bytes > tonumber(most_bytes) and #reply > 3 then break end
    reply[#reply + 1] = line
    for i = 1, 4 do reply[#reply + 1] = ended[i] or '' end
  end
end
return reply
