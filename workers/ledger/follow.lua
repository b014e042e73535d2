#!lua flags=allow-oom
-- Has an API process told how a stream goes on, and tells it what there is of it: nothing is missed in between.
-- ARGV: id, tenant, address ('' to be told nothing), number of the first frame wanted, at most how many.
-- Returns false (no such job of this tenant) or {status, http_status, answer, created, surface, echo, stream, queue,
-- whether these are all, model, frame, frame, ...}; the answer only with the last frame, and empty while it runs.
local id, tenant, address, from, most = unpack(ARGV)
local job = redis.call('HMGET', job_key(id), 'tenant', 'status', 'http_status', 'answer', 'created', 'surface', 'echo',
  'stream', 'queue', 'model', 'unstored')
if job[1] ~= tenant then return false end
if address ~= '' and not job[4] then add_waiter(id, address) end
if job[4] then note_delivery(id, job[11], UNSTORED_MS) end
local frames = redis.call('LRANGE', stream_key(id), from, from + most - 1)
local all = from + #frames >= redis.call('LLEN', stream_key(id))
return { job[2], job[3] or '', all and job[4] or '', job[5], job[6] or '', job[7] or '', job[8] or '', job[9],
  all and 1 or 0, job[10], unpack(frames) }
