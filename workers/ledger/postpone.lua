#!lua flags=allow-oom
-- Has an entry of the outbox looked at later. ARGV: entry, delay in ms.
redis.call('ZADD', OUTBOX, 'XX', now + ARGV[2], ARGV[1])
return 1
