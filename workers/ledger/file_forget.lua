#!lua flags=allow-oom
-- Forgets files whose bytes are removed. ARGV: ids. What was given up is remembered for a while as gone: whoever comes
-- late does not make it visible, and a list that is read page by page finds its place.
for _, id in ipairs(ARGV) do
  redis.call('ZREM', FILE_EXPIRY, id)
  local state = redis.call('HGET', file_key(id), 'state')
  if state == 'coming' then
    redis.call('DEL', file_key(id))
  elseif state == 'gone' then
    redis.call('HDEL', file_key(id), 'name', 'filename', 'purpose', 'bytes', 'expires')
    redis.call('EXPIRE', file_key(id), RETENTION_S)
  end
end
return #ARGV
