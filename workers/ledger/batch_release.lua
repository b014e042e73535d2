#!lua flags=allow-oom
-- Gives batches back, for another worker to take at once. ARGV: id, epoch, ...
for i = 1, #ARGV, 2 do
  if holds_batch(ARGV[i], ARGV[i + 1]) then redis.call('ZADD', P .. 'batch_schedule', now, ARGV[i]) end
end
return 1
