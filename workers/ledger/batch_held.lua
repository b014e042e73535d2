-- The fence of every step of a batch's worker. Rendered in front of those steps.

-- Whether (id, epoch) is the run that holds the batch; extends its lease where it is.
local function holds_batch(id, epoch, lease_ms)
  local held = redis.call('HMGET', batch_key(id), 'epoch', 'ended')
  if held[1] ~= epoch or held[2] then return false end
  if lease_ms then redis.call('ZADD', P .. 'batch_schedule', now + lease_ms, id) end
  return true
end
